"""Typed, cross-checked readers of `supported_connectors.yaml` and `tenants.yaml`."""
