"""Tokens of a company's own issuer as the second way in: JWT, one pinned algorithm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args
from typing import Literal as OneOf
from urllib.parse import urlsplit

import jwt

from martlet.access.errors import AccessDeniedError
from martlet.access.jwks import KeySet, KeysUnavailableError
from martlet.access.principal import Principal
from martlet.access.scopes import SCOPES
from martlet.errors import BadInputError
from martlet.naming import tenant_slug_problem

# Asymmetric ones only: with a shared secret, whoever can check a token can make one.
Algorithm = OneOf[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
LEEWAY_SECONDS = 30
MAX_TOKEN_LENGTH = 8192
_PREFIX = "MARTLET_JWT_"
_KNOWN = ("ISSUER", "AUDIENCE", "JWKS_URL", "ALGORITHM", "TENANT_CLAIM", "ALLOW_ADMIN")
VARIABLES = tuple(f"{_PREFIX}{name}" for name in _KNOWN)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class TokenSettings:
    """Whose tokens are taken, and what in them says the tenant."""

    issuer: str
    audience: str
    jwks_url: str
    algorithm: str = "RS256"
    tenant_claim: str = "martlet_tenant"
    allow_admin: bool = False


def token_settings(environ: Mapping[str, str]) -> TokenSettings | None:
    """Return what the variables MARTLET_JWT_* ask for, None where none is set.

    Raises `BadInputError` where they do not fit together: a mistake must not switch tokens off.
    """
    stated = {
        name.removeprefix(_PREFIX): value.strip()
        for name, value in environ.items()
        if name.startswith(_PREFIX) and value.strip()
    }
    if not stated:
        return None
    for name in stated:
        if name not in _KNOWN:
            raise _bad(name, f"there is no such variable; valid: {', '.join(VARIABLES)}")
    for name in ("ISSUER", "AUDIENCE"):
        if name not in stated:
            raise _bad(name, "must be set where another MARTLET_JWT_ variable is")
    issuer = stated["ISSUER"]
    url = stated.get("JWKS_URL") or f"{issuer.rstrip('/')}/.well-known/jwks.json"
    problem = _url_problem(url)
    if problem:
        raise _bad("JWKS_URL" if "JWKS_URL" in stated else "ISSUER", problem)
    algorithm = stated.get("ALGORITHM", "RS256")
    if algorithm not in get_args(Algorithm):
        known = ", ".join(get_args(Algorithm))
        raise _bad("ALGORITHM", f"unknown algorithm {algorithm!r}; valid: {known}")
    return TokenSettings(
        issuer=issuer,
        audience=stated["AUDIENCE"],
        jwks_url=url,
        algorithm=algorithm,
        tenant_claim=stated.get("TENANT_CLAIM", "martlet_tenant"),
        allow_admin=_truth(stated.get("ALLOW_ADMIN", "false")),
    )


class TokenVerifier:
    """Checks tokens against the issuer's keys."""

    def __init__(self, settings: TokenSettings) -> None:
        self._settings = settings
        self._keys = KeySet(settings.jwks_url, settings.algorithm)

    def verify(self, token: str) -> Principal:
        """Return who the token speaks for; raises `AccessDeniedError` with the reason."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise AccessDeniedError("invalid_token")
        # What PyJWT raises may quote the token, so it is never the cause of our error.
        try:
            claims = self._claims(token)
        except jwt.ExpiredSignatureError:
            raise AccessDeniedError("expired_token") from None
        except jwt.ImmatureSignatureError:
            raise AccessDeniedError("token_not_yet_valid") from None
        except KeysUnavailableError:
            raise AccessDeniedError("issuer_unavailable") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise AccessDeniedError("invalid_token") from None
        tenant = claims.get(self._settings.tenant_claim)
        if not isinstance(tenant, str) or tenant_slug_problem(tenant):
            raise AccessDeniedError("no_tenant_in_token")
        return Principal(tenant, self._scopes(claims.get("scope")), subject=claims.get("sub"))

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        # Looking for the key of a token that cannot be right would make the issuer work.
        if header.get("alg") != self._settings.algorithm or not isinstance(kid, str):
            raise jwt.InvalidTokenError
        key = self._keys.key(kid)
        if key is None:
            raise jwt.InvalidTokenError
        return jwt.decode(
            token,
            key=key,
            algorithms=[self._settings.algorithm],
            audience=self._settings.audience,
            issuer=self._settings.issuer,
            leeway=LEEWAY_SECONDS,
            options={
                "require": ["exp", "aud", "iss"],
                "enforce_minimum_key_length": True,
            },
        )

    def _scopes(self, claim: Any) -> frozenset[str]:
        granted = set(claim.split()) if isinstance(claim, str) else set()
        ours = granted & set(SCOPES)
        return frozenset(ours if self._settings.allow_admin else ours - {"admin"})


def _url_problem(url: str) -> str | None:
    """Return why keys cannot be fetched from here; the text never repeats the address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is no address"
    if parts.scheme not in {"http", "https"} or not host:
        return "the address of the issuer's keys must begin with https://"
    if parts.username is not None or parts.password is not None:
        return "an address with a user or a password in it is not taken"
    if parts.scheme == "http" and host not in _LOCAL:
        return "over http anyone on the way could put their own keys: use https"
    return None


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise _bad("ALLOW_ADMIN", f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _bad(name: str, what: str) -> BadInputError:
    return BadInputError(
        what, where=f"environment {_PREFIX}{name}", remedy="see docs/reference/access.md"
    )
