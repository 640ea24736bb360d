"""Mixpanel: events and people."""
