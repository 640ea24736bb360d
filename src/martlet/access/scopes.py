"""What a key or a token may be good for."""

from collections.abc import Iterable

from martlet.errors import BadInputError, nearest

SCOPES = {
    "query": "ask the tenant's semantic models",
    "observability": "see the tenant's runs, tests, loads and quarantine",
    "pii": "see personal columns as they are, and filter on them",
    "admin": "as an operator, query and observe every tenant",
}
DEFAULT_SCOPES = ("query", "observability")
# An operator sees every tenant, but personal data only where `pii` is granted beside it.
IMPLIED_BY_ADMIN = frozenset({"query", "observability"})


def checked_scopes(names: Iterable[str]) -> frozenset[str]:
    """Return the scopes that `names` stand for; raises `BadInputError` for another or for none."""
    chosen = [name.strip() for name in names if name.strip()]
    for name in chosen:
        if name not in SCOPES:
            raise BadInputError(
                f"unknown scope {name!r}; {nearest(name, SCOPES)}",
                where="scopes",
                remedy=f"name some of {','.join(SCOPES)}, divided by commas",
            )
    if not chosen:
        raise BadInputError(
            "no scope is named, so the key would open nothing",
            where="scopes",
            remedy=f"name some of {','.join(SCOPES)}, divided by commas",
        )
    return frozenset(chosen)
