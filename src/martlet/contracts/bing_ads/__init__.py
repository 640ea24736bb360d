"""Microsoft Advertising (Bing Ads): Campaign Management and Reporting, version 13."""
