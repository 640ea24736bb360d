"""The HTTP door to the semantic service."""
