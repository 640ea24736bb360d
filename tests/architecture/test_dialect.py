"""What differs between engines stands in macros/utils and macros/onboarding, nowhere else."""

import re
from pathlib import Path

import pytest

from tests.project import REPOSITORY

MACROS = REPOSITORY / "macros"
HOME = {"utils", "onboarding"}  # where JSON, hashes and merges of an engine may be spelled
_COMMENT = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
_TEXT = re.compile(r"'[^'\n]*'")
_ARROW = re.compile(r"->>?")
_CALL = re.compile(r"\b(\w*json\w*|md5\w*|sha\d+|hash|from_hex|struct_extract)\s*\(", re.IGNORECASE)
# dbt's own functions, which are no SQL
_DBT = {"fromjson", "tojson"}
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)")


def files() -> list[Path]:
    """Return the SQL that a connector, a fact or a model is made of."""
    own = [p for p in MACROS.rglob("*.sql") if p.relative_to(MACROS).parts[0] not in HOME]
    return sorted([*own, *(REPOSITORY / "models").rglob("*.sql")])


def macro_names() -> set[str]:
    return {name for path in MACROS.rglob("*.sql") for name in _MACRO.findall(path.read_text())}


def dialect_in(sql: str, macros: set[str]) -> list[str]:
    """Return JSON arrows and calls of JSON and hash functions that are no macros of ours."""
    code = _COMMENT.sub("", sql)
    arrows = _ARROW.findall(_TEXT.sub("''", code))
    calls = [name for name in _CALL.findall(code) if name not in macros | _DBT]
    return arrows + calls


@pytest.mark.parametrize(
    "folder", sorted({p.parent for p in files()}), ids=lambda p: str(p.relative_to(REPOSITORY))
)
def test_json_and_hashes_are_spelled_by_macros_only(folder: Path) -> None:
    macros = macro_names()

    found = {
        path.name: dialect
        for path in files()
        if path.parent == folder
        for dialect in [dialect_in(path.read_text(encoding="utf-8"), macros)]
        if dialect
    }

    assert not found


def test_the_engines_and_the_factories_are_among_the_files() -> None:
    folders = {path.parent.name for path in files()}

    assert {"paid_ads", "ecommerce", "analytics", "factories", "master_models"} <= folders


@pytest.mark.parametrize(
    "sql",
    [
        "select payload ->> '$.id' from t",
        "select payload -> 'a' from t",
        "select json_extract_string(payload, '$.id')",
        "select from_json(payload, '[]')",
        "select md5(a)",
        "select hash(a)",
    ],
)
def test_what_is_forbidden_is_found(sql: str) -> None:
    assert dialect_in(sql, {"json_text"})


@pytest.mark.parametrize(
    "sql",
    [
        "{# payload ->> '$.id' #} select 1",
        "select 1 -- md5(a)",
        "select {{ json_text('payload', '$.id') }}",
        "{% set document = fromjson(text) %}",
        "select line_items_json, record_hash from t",
        "select 'a -> b' as label",
    ],
)
def test_what_is_no_dialect_is_left_alone(sql: str) -> None:
    assert not dialect_in(sql, {"json_text"})
