"""TikTok's Business API: campaigns, ad groups, ads and the daily ad report."""
