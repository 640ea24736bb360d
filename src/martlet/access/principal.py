"""Who asks, whichever way they came in."""

import hashlib
from dataclasses import dataclass, field

from martlet.access.scopes import IMPLIED_BY_ADMIN


@dataclass(frozen=True)
class Principal:
    """The caller of one request.

    `subject` is what the issuer calls the caller and may be personal: only `caller` goes to logs.
    """

    tenant: str
    scopes: frozenset[str]
    key_id: str | None = None
    subject: str | None = field(default=None, repr=False)

    @property
    def is_operator(self) -> bool:
        return "admin" in self.scopes

    @property
    def caller(self) -> str:
        """Return a stable name that tells callers apart and holds nothing personal."""
        if self.key_id is not None:
            return self.key_id
        named = f"{self.tenant}\n{self.subject or ''}"
        return f"token_{hashlib.sha256(named.encode()).hexdigest()[:16]}"

    def may(self, scope: str) -> bool:
        return scope in self.scopes or (self.is_operator and scope in IMPLIED_BY_ADMIN)

    def may_reach(self, tenant: str) -> bool:
        return tenant == self.tenant or self.is_operator
