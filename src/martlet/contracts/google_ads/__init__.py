"""The Google Ads API: rows that join resources, segments and metrics."""
