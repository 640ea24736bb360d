"""Amazon Ads: Sponsored Products entities and the advertised product report."""
