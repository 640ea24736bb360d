"""Why nobody is let in, in codes that hold no secret and nothing of what was presented."""

from typing import Literal

from martlet.errors import MartletError

Reason = Literal[
    "no_credentials",  # no Authorization header, or not of the form `Bearer KEY`
    "unknown_key",  # no such id, another secret, or no key at all: told alike
    "expired_key",
    "revoked_key",
    "tokens_not_configured",  # what was presented is no key, and no issuer is configured
    "invalid_token",  # signature, algorithm, issuer, audience or form
    "expired_token",
    "token_not_yet_valid",
    "no_tenant_in_token",
    "issuer_unavailable",  # the issuer's keys cannot be fetched: not the caller's fault
]


class AccessDeniedError(MartletError):
    """The credentials open nothing. `reason` is stable.

    `expired_key`, `revoked_key`, `expired_token` and `token_not_yet_valid` are told only to who
    has the right secret or signature.
    """

    code = "access_denied"

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"access is refused: {reason.replace('_', ' ')}")
        self.reason = reason


class ControlFileError(MartletError):
    """The file of keys is damaged, held, foreign or of a newer Martlet. `where` names its path."""

    code = "control_unavailable"
