"""An answer's table as JSON, Arrow stream, Parquet or CSV."""

import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from martlet.api.csv_text import csv_text
from martlet.api.negotiation import ARROW, CSV, PARQUET

CONTENT_TYPES = {CSV: "text/csv; charset=utf-8; header=present"}
_EXACT_IN_A_DOUBLE = 2**53
_LONGEST_WARNINGS = 4_000


def as_json(document: Any) -> bytes:
    """Return JSON; moments without a zone are UTC and end in Z, NaN is null."""
    return orjson.dumps(document, default=_plain, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return the rows as values that `as_json` writes; decimals as the nearest double."""
    return list(zip(*(_values(column) for column in table.columns), strict=True))


def rendered(table: pa.Table, media: str, notes: Mapping[str, Any]) -> bytes:
    """Return the table in a form other than JSON.

    Arrow and Parquet carry `notes` in the schema, under `martlet`.
    """
    plain = _storable(table)
    if media == CSV:
        return csv_text(plain)
    noted = plain.replace_schema_metadata({"martlet": as_json(notes)})
    sink = io.BytesIO()
    if media == ARROW:
        with pa.ipc.new_stream(sink, noted.schema) as stream:
            stream.write_table(noted)
    elif media == PARQUET:
        pq.write_table(noted, sink, compression="zstd")
    else:
        raise ValueError(media)
    return sink.getvalue()


def warnings_header(warnings: list[dict[str, str]]) -> str:
    """Return the warnings as JSON in ASCII; where that is too long for a header, their codes."""
    text = json.dumps(warnings)
    if len(text) <= _LONGEST_WARNINGS:
        return text
    codes = sorted({warning["code"] for warning in warnings})
    return json.dumps([{"code": code} for code in codes])


def _storable(table: pa.Table) -> pa.Table:
    """Return the table with moments that say that they are UTC, and JSON as text."""
    columns = [_plainly_typed(column) for column in table.columns]
    for place, column in enumerate(columns):
        if pa.types.is_timestamp(column.type) and column.type.tz is None:
            columns[place] = column.cast(pa.timestamp(column.type.unit, tz="UTC"))
        elif pa.types.is_nested(column.type):
            texts = [None if v is None else as_json(v).decode() for v in column.to_pylist()]
            columns[place] = pa.chunked_array([pa.array(texts, pa.string())])
    return pa.table(columns, names=table.column_names)


def _plainly_typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if isinstance(column.type, pa.BaseExtensionType):
        return column.cast(column.type.storage_type)
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _values(column: pa.ChunkedArray) -> list[Any]:
    if isinstance(column.type, pa.JsonType):
        texts = _plainly_typed(column).to_pylist()
        return [None if text is None else orjson.Fragment(text) for text in texts]
    column = _plainly_typed(column)
    if pa.types.is_decimal(column.type):
        return _doubles(column)
    if pa.types.is_date(column.type):
        return _from_numpy(column, "datetime64[D]")
    if pa.types.is_timestamp(column.type):
        return _from_numpy(column, "datetime64[us]")
    values: list[Any] = column.to_pylist()
    return values


def _from_numpy(column: pa.ChunkedArray, kind: str) -> list[Any]:
    """Convert at once what `to_pylist` converts one by one, 30 times slower."""
    values: list[Any] = column.to_numpy().astype(kind).tolist()
    return values


def _doubles(column: pa.ChunkedArray) -> list[float | int | None]:
    """Return decimals as the nearest doubles.

    Arrow's own cast multiplies by a power of ten and misses the nearest double for one value in
    three. A whole number below 2^53 divided by a power of ten is rounded once: the nearest it is.
    """
    if not pa.types.is_decimal128(column.type) or column.type.scale > 15:
        return [_number(value) for value in column.to_pylist()]
    found: list[float | int | None] = []
    for chunk in filter(len, column.chunks):
        halves = np.frombuffer(chunk.buffers()[1], dtype="<i8").reshape(-1, 2)
        low, high = halves[chunk.offset : chunk.offset + len(chunk)].T
        is_small = (low < _EXACT_IN_A_DOUBLE) & (low > -_EXACT_IN_A_DOUBLE) & (high == low >> 63)
        if chunk.type.scale and bool(is_small.all()):
            values: list[float | int | None] = (low / 10**chunk.type.scale).tolist()
            for place in np.flatnonzero(~chunk.is_valid().to_numpy(zero_copy_only=False)):
                values[place] = None
            found += values
        else:
            found += [_number(value) for value in chunk.to_pylist()]
    return found


def _number(value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    whole = int(value)
    return whole if whole == value and abs(whole) < 2**63 else float(value)


def _plain(value: Any) -> Any:
    """Say what orjson cannot write: a decimal in a list, an interval, bytes."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
