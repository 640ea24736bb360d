"""Keeps what was erased from coming back: keyed digests of persons, never their identifiers."""
