"""Tells the configured channels what runs found: each thing once, and again when it is over."""
