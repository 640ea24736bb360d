"""Checks Arrow batches against their contract, set-wise: dlt does not."""

import json
import re
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from martlet.contracts.base import Column, ObjectContract
from martlet.contracts.physical import physical_columns
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.errors import MartletError
from martlet.landing.batches import ROW_NUMBER, Loader, RejectedRow
from martlet.registry.fingerprint import is_bookkeeping

_PATH = re.compile(r'^\$\.(?:"(?P<quoted>[^"]+)"|(?P<plain>[^.\[]+))(?P<rest>.*)$')

_NUMBERS = ("decimal", "double", "bigint")
_NOT_NUMBERS = ("nan", "inf", "infinity")
_QUOTED = ('"NaN"', '"nan"', '"NAN"', '"Infinity"', '"-Infinity"', '"inf"', '"-inf"')


@dataclass(frozen=True)
class _Check:
    """A condition, in SQL, under which a row is refused; `path` is where in the record."""

    condition: str
    error: str
    path: str


def check_table(
    table: pa.Table, contract: ObjectContract, loader: Loader
) -> tuple[pa.Table, tuple[RejectedRow, ...]]:
    """Divide rows into those that fit the contract and those that do not, with the first reason.

    Refused are texts that are no JSON in JSON columns, NaN and infinity (as texts too, where the
    contract reads a number), and nulls in the columns of the key. Raises `MartletError` where a
    column's type is not the contract's: that is a mistake of whoever made the table, not of a
    record.
    """
    types = _column_types(table, contract, loader)
    checks = [
        *_json_checks(types),
        *_number_checks(types),
        *_text_checks(contract, types),
        *_key_checks(contract, types),
    ]
    if not checks or not table.num_rows:
        return table, ()
    refused = " or ".join(f"({check.condition})" for check in checks)
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("received", table)
        numbers = connection.execute(
            f"select {ROW_NUMBER} from received where {refused}"
        ).fetchall()
        if not numbers:
            return table, ()
        accepted = connection.execute(
            f"select * from received where ({refused}) is not true order by {ROW_NUMBER}"
        ).to_arrow_table()
        rejected = _rejected_rows(connection, checks, refused, table)
    return accepted.cast(table.schema), rejected


def first_step(path: str) -> tuple[str, str]:
    """Divide a contract's JSON path into the physical column and the path inside it."""
    steps = _PATH.match(path)
    if steps is None:
        raise ValueError(f"the contract's path {path!r} names no column")
    return steps["quoted"] or steps["plain"], steps["rest"]


def _column_types(table: pa.Table, contract: ObjectContract, loader: Loader) -> dict[str, str]:
    """Return column name to physical type; raises where the table disagrees with the contract."""
    version = next(v for v in contract.versions if v.loader == loader)
    known = physical_columns(version.record)
    arrow = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
    types: dict[str, str] = {}
    wrong = [f"{name!r} is missing" for name in known if name not in table.column_names]
    for field in table.schema:
        if is_bookkeeping(field.name) and field.name not in known:
            continue
        types[field.name] = known.get(field.name, "JSON")
        wanted = arrow.get(types[field.name], pa.string())
        if field.type != wanted:
            wrong.append(f"{field.name!r} is {field.type}, not {wanted}")
    if wrong:
        raise MartletError(
            f"the table is not what the contract of {contract.object!r} ({loader}) states: "
            + "; ".join(wrong),
            remedy="build it with the contract's arrow_schema",
        )
    return types


def _json_checks(types: dict[str, str]) -> list[_Check]:
    """The engine's parser lets NaN and Infinity pass; as tokens they stand outside of quotes."""
    checks = []
    for name, kind in types.items():
        if kind != "JSON":
            continue
        column = quoted_name(name)
        token = quoted_text(r"[:\[,]\s*-?(?i:nan|inf(?:inity)?)\s*[,\]}]")
        may_have = f"(contains(lower({column}), 'nan') or contains(lower({column}), 'inf'))"
        bare = rf"regexp_replace({column}, '\"(?:[^\"\\]|\\.)*\"', '\"\"', 'g')"
        checks.append(_Check(f"not json_valid({column})", "not valid JSON", name))
        checks.append(
            _Check(
                f"{may_have} and regexp_matches({column}, {token}) "
                f"and regexp_matches({bare}, {token})",
                "NaN is no number",
                name,
            )
        )
    return checks


def _number_checks(types: dict[str, str]) -> list[_Check]:
    return [
        _Check(f"not isfinite({quoted_name(name)})", "NaN is no number", name)
        for name, kind in types.items()
        if kind == "DOUBLE"
    ]


def _text_checks(contract: ObjectContract, types: dict[str, str]) -> list[_Check]:
    """What says NaN in words where a number is read: a cast would make it null without a word."""
    texts: dict[str, list[str]] = {}
    for column in contract.columns:
        if column.type not in _NUMBERS or column.list_key:
            continue
        for path in column.paths:
            name, rest = first_step(path)
            if types.get(name) == "VARCHAR" and not rest:
                texts.setdefault(name, []).append(quoted_name(name))
            elif types.get(name) == "JSON" and "*" not in rest:
                member = f"json_extract_string({quoted_name(name)}, {quoted_text('$' + rest)})"
                texts.setdefault(name, []).append(member)
    checks = []
    for name, members in texts.items():
        words = ", ".join(quoted_text(word) for word in _NOT_NUMBERS)
        found = " or ".join(f"lower(ltrim(trim({m}), '+-')) in ({words})" for m in members)
        if types[name] == "JSON":  # a look before the documents are parsed
            quoted = [f"contains({quoted_name(name)}, {quoted_text(w)})" for w in _QUOTED]
            found = f"({' or '.join(quoted)}) and ({found})"
        checks.append(_Check(found, "NaN is no number", name))
    return checks


def _key_checks(contract: ObjectContract, types: dict[str, str]) -> list[_Check]:
    columns = {column.name: column for column in contract.columns}
    return [
        _Check(
            _is_missing(columns[name], types),
            f"the key column {name} is null",
            columns[name].paths[0].removeprefix("$."),
        )
        for name in contract.key
    ]


def _is_missing(column: Column, types: dict[str, str]) -> str:
    """Return the condition that none of the column's paths has a value."""
    found = []
    for path in column.paths:
        name, rest = first_step(path)
        if name not in types:
            continue
        landed = quoted_name(name)
        found.append(
            f"json_extract_string({landed}, {quoted_text('$' + rest)}) is null"
            if rest
            else f"{landed} is null"
        )
    return " and ".join(found) or "true"


def _rejected_rows(
    connection: duckdb.DuckDBPyConnection, checks: list[_Check], refused: str, table: pa.Table
) -> tuple[RejectedRow, ...]:
    place = " ".join(f"when {check.condition} then {n}" for n, check in enumerate(checks))
    cursor = connection.execute(
        f"select case {place} end, * from received where {refused} order by {ROW_NUMBER}"
    )
    rows = []
    for number, *values in cursor.fetchall():
        record = dict(zip(table.column_names, values, strict=True))
        position = record.pop(ROW_NUMBER)
        stated = {name: value for name, value in record.items() if value is not None}
        raw = json.dumps(stated, ensure_ascii=False, separators=(",", ":"), default=str)
        check = checks[number]
        rows.append(RejectedRow(position, check.error, check.path, raw))
    return tuple(rows)
