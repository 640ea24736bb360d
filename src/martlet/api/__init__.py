"""The HTTP door to the semantic service: `app.create_app` builds it."""
