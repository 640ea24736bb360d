"""Digests of questions: equal where questions mean the same, in whatever order they come."""

import hashlib
import json
from datetime import date
from typing import Any

from martlet.semantic.requests import DEFAULT_ROWS, Query


def query_digest(query: Query) -> str:
    """Return the digest of a question, page and number of rows included."""
    asked = query.model_dump(exclude_defaults=True)
    asked["filters"] = sorted(
        {_text(_sorted_list(condition)) for condition in asked.pop("filters", [])}
    )
    return hashlib.sha256(_text(asked).encode()).hexdigest()[:32]


def paged_digest(tenant: str, query: Query, *, may_see_personal: bool) -> str:
    """Return the digest that all pages of one asker's question share."""
    unpaged = query.model_copy(update={"cursor": None, "limit": DEFAULT_ROWS, "totals": False})
    told = f"{tenant} {may_see_personal} {query_digest(unpaged)}"
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:32]


def _sorted_list(condition: dict[str, Any]) -> dict[str, Any]:
    value = condition.get("value")
    if not isinstance(value, list):
        return condition
    return condition | {"value": sorted({_text(each) for each in value})}


def _text(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True, default=_date)


def _plain(value: Any) -> Any:
    """Return the value with integers that Python would not write out in another form."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    is_huge = isinstance(value, int) and value.bit_length() > 128
    return f"integer {value:x}" if is_huge else value


def _date(value: Any) -> str:
    assert isinstance(value, date)
    return value.isoformat()
