"""Martlet: one governed star schema per tenant from whatever the loaders landed."""
