"""Which charts an answer has: lines over time, bars over names, or none."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from martlet.semantic.answers import Answer, AnswerColumn
from martlet.semantic.requests import Query
from martlet.web.cells import cell_of, how_of
from martlet.web.charts import Chart, Series
from martlet.web.days import grain_words, short_day
from martlet.web.words import GRAINS

MAX_CHARTS = 4
MAX_SERIES = 8
MAX_BARS = 15
_MAX_POINTS = 2_000

Row = Mapping[str, Any]


def charts_of(answer: Answer, query: Query) -> tuple[list[Chart], str]:
    """Return a chart for each of the first measures, and what they leave out, in words."""
    measures = [column for column in answer.columns if column.role == "measure"][:MAX_CHARTS]
    names = [column for column in answer.columns if column.role != "measure"]
    rows = answer.table.slice(0, _MAX_POINTS).to_pylist()
    if not measures or len(rows) < 2:
        return [], ""
    grain = query.time.grain if query.time else None
    time = next((column for column in names if column.role == "time" and grain), None)
    if time is not None and grain:
        others = [column for column in names if column is not time]
        return _over_time(rows, measures, time, others, grain, is_cut=answer.truncated)
    return _over_names(rows, measures, names)


def _over_time(
    rows: Sequence[Row],
    measures: Sequence[AnswerColumn],
    time: AnswerColumn,
    others: Sequence[AnswerColumn],
    grain: str,
    *,
    is_cut: bool,
) -> tuple[list[Chart], str]:
    days = _all_days([_day(row[time.name]) for row in rows if row[time.name] is not None], grain)
    if len(days) < 2:
        return [], ""
    by_name: dict[str, dict[date, Row]] = {}
    for row in rows:
        if row[time.name] is not None:
            by_name.setdefault(_name(row, others), {})[_day(row[time.name])] = row
    # The same order in all charts, so that a colour means the same in each.
    largest = sorted(by_name, key=lambda name: -_size(by_name[name].values(), measures[0]))
    shown = largest[:MAX_SERIES]
    charts = [
        Chart(
            title=f"{measure.label} {GRAINS[grain]}",
            kind="line",
            labels=[_short(day, grain) for day in days],
            long_labels=[grain_words(day, grain) for day in days],
            series=[
                Series(
                    name or measure.label,
                    [by_name[name].get(day, {}).get(measure.name) for day in days],
                )
                for name in shown
            ],
            how=how_of(measure),
            first="Period",
        )
        for measure in measures
    ]
    notes = []
    if len(largest) > MAX_SERIES:
        rest = len(largest) - MAX_SERIES
        notes.append(f"Charts show the {MAX_SERIES} largest; {rest:,} more are in the table.")
    if is_cut:
        notes.append("Rows are missing: choose more rows below Order and rows.")
    return charts, " ".join(notes)


def _over_names(
    rows: Sequence[Row], measures: Sequence[AnswerColumn], names: Sequence[AnswerColumn]
) -> tuple[list[Chart], str]:
    if not names:
        return [], ""
    charts = []
    for measure in measures:
        known = [row for row in rows if row[measure.name] is not None]
        largest = sorted(known, key=lambda row: -abs(row[measure.name]))[:MAX_BARS]
        charts.append(
            Chart(
                title=f"{measure.label} by {' and '.join(c.label.lower() for c in names[:3])}",
                kind="bars",
                labels=[_name(row, names) for row in largest],
                series=[Series(measure.label, [row[measure.name] for row in largest])],
                how=how_of(measure),
                first=", ".join(column.label for column in names),
            )
        )
    is_short = len(rows) > MAX_BARS
    return charts, f"Charts show the {MAX_BARS} largest of {len(rows):,} rows." * is_short


def _name(row: Row, names: Sequence[AnswerColumn]) -> str:
    return " · ".join(cell_of(column, row).text for column in names)


def _size(rows: Iterable[Row], measure: AnswerColumn) -> float:
    values = (row[measure.name] for row in rows)
    return float(sum(abs(value) for value in values if value is not None))


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _all_days(days: Sequence[date], grain: str) -> list[date]:
    """Return the first days of all periods, also of those without rows: a gap is to be seen."""
    if not days:
        return []
    day, last = min(days), max(days)
    found = [day]
    while day < last and len(found) <= _MAX_POINTS:
        day = _next(day, grain)
        found.append(day)
    return found


def _next(day: date, grain: str) -> date:
    if grain in ("day", "week"):
        return day + timedelta(days=1 if grain == "day" else 7)
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _short(day: date, grain: str) -> str:
    if grain in ("day", "week"):
        return short_day(day)
    return f"{day:%b} {day.year}" if grain == "month" else grain_words(day, grain)
