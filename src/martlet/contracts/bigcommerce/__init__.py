"""BigCommerce: orders and products."""
