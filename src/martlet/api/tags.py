"""Entity tags: which answer a caller already has."""

import hashlib
from importlib.metadata import version

import orjson
from pydantic import BaseModel

# Another program may word the same rows in another way.
_PROGRAM = version("martlet")


def entity_tag(
    tenant: str,
    data_version: str,
    operation: str,
    question: BaseModel | None,
    media: str,
    *,
    may_see_personal: bool,
) -> str:
    """Return the strong tag of one answer: two that differ in a byte have different tags.

    A page of a cursor is the same whatever is published since: its tag is made with the version
    that the cursor goes through, not with the current one.
    """
    asked = question.model_dump(mode="json") if question else None
    if asked and asked.get("cursor"):
        data_version = ""
    parts = [_PROGRAM, tenant, data_version, operation, asked, media, may_see_personal]
    text = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def is_known(header: str | None, tag: str) -> bool:
    """Say whether an If-None-Match header names the tag; `*` is left to the answer itself."""
    stated = [part.strip().removeprefix("W/") for part in (header or "").split(",")]
    return tag in stated
