"""Divides a large report between days, so that each part is whole."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from martlet.contracts.base import ObjectContract
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.landing.checks import first_step


@dataclass(frozen=True)
class ReportPart:
    """The select of one part of a report, and the days that it covers whole."""

    query: str
    start: date
    end: date


def report_parts(
    cursor: duckdb.DuckDBPyConnection,
    query: str,
    contract: ObjectContract,
    schema: pa.Schema,
    *,
    window: tuple[date, date],
    rows_per_part: int,
) -> Iterator[ReportPart]:
    """Yield the parts of a report, in the order of days; together they cover `window`.

    A part has at most `rows_per_part` records unless a single day has more. Records without a day,
    and those outside of the window, go to the part that is nearest.
    """
    counted = cursor.execute(f"select count(*) from ({query})").fetchall()[0][0]
    day = _day_expression(contract, schema)
    if counted <= rows_per_part or day is None:
        yield ReportPart(query, *window)
        return
    first, last = window
    days: dict[date, list[str | None]] = {}
    rows: dict[date, int] = {}
    counts = f"select {day} as day, count(*) from ({query}) as landed group by 1 order by 1"
    for text, count in cursor.execute(counts).fetchall():
        nearest = min(max(_as_date(text) or first, first), last)
        days.setdefault(nearest, []).append(text)
        rows[nearest] = rows.get(nearest, 0) + count
    start = first
    for part in _divided(rows, rows_per_part):
        is_last = max(part) == max(rows)
        end = last if is_last else max(part)
        chosen = _is_one_of(day, [text for each in part for text in days[each]])
        yield ReportPart(f"select * from ({query}) as landed where {chosen}", start, end)
        start = end + timedelta(days=1)


def _divided(rows: dict[date, int], rows_per_part: int) -> Iterator[list[date]]:
    part: list[date] = []
    filled = 0
    for day in sorted(rows):
        if part and filled + rows[day] > rows_per_part:
            yield part
            part, filled = [], 0
        part.append(day)
        filled += rows[day]
    if part:
        yield part


def _is_one_of(day: str, texts: list[str | None]) -> str:
    stated = ", ".join(quoted_text(text) for text in texts if text is not None)
    condition = f"{day} in ({stated})" if stated else "false"
    return f"({condition} or {day} is null)" if None in texts else condition


def _day_expression(contract: ObjectContract, schema: pa.Schema) -> str | None:
    """Return the text of a landed record's day, in whatever form the wire has it."""
    if contract.scope is None:
        return None
    column = next(c for c in contract.columns if c.name == contract.scope.date)
    found = []
    for name, rest in map(first_step, column.paths):
        if name in schema.names:
            landed = f"landed.{quoted_name(name)}"
            path = quoted_text("$" + rest)
            found.append(f"json_extract_string({landed}, {path})" if rest else landed)
    return f"cast(coalesce({', '.join(found)}) as varchar)" if found else None


def _as_date(text: str | None) -> date | None:
    """Read `2026-06-30`, with a time or without, `20260630`, or LinkedIn's year, month and day."""
    if text is None:
        return None
    if text.startswith("{"):
        parts = json.loads(text)
        return date(parts["year"], parts["month"], parts["day"])
    return date.fromisoformat(text[:8] if text[:8].isdigit() else text[:10])
