"""Amplitude: events and users."""
