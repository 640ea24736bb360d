"""Shopify: orders and products."""
