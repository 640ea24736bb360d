"""From an Authorization header to who asks."""

from typing import Protocol

from martlet.access.errors import AccessDeniedError
from martlet.access.keys import KEY_PREFIX, KeyStore
from martlet.access.principal import Principal


class Verifier(Protocol):
    """What `authenticate` needs of `tokens.TokenVerifier`."""

    def verify(self, token: str) -> Principal: ...


def bearer_of(header: str | None) -> str:
    """Return the credentials of an Authorization header; raises `AccessDeniedError` without any."""
    scheme, _, credentials = (header or "").strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() != "bearer" or not credentials:
        raise AccessDeniedError("no_credentials")
    return credentials


def authenticate(bearer: str, keys: KeyStore, tokens: Verifier | None) -> Principal:
    """Return who presents these credentials: a key of ours, else a token of the issuer's.

    Blocks for some seconds where the issuer's keys have to be fetched: call it from a thread.
    Raises `AccessDeniedError`, and `ControlFileError` where keys cannot be read.
    """
    if bearer.startswith(KEY_PREFIX):
        key = keys.require(bearer)
        return Principal(tenant=key.tenant, scopes=key.scopes, key_id=key.id, subject=key.name)
    if tokens is None:
        raise AccessDeniedError("tokens_not_configured")
    return tokens.verify(bearer)
