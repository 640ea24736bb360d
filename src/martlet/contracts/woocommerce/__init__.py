"""WooCommerce: orders and products."""
