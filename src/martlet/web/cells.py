"""The cells of an answer in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from martlet.semantic.answers import AnswerColumn
from martlet.web.days import day_words, grain_words, moment_words
from martlet.web.numbers import NOTHING, Measured, measured, written
from martlet.web.rendering import short_name
from martlet.web.words import DOMAINS, platform_words


@dataclass(frozen=True)
class Cell:
    """One value as it is shown; `is_name` is a text from the data, of any script and direction."""

    text: str
    is_number: bool = False
    is_name: bool = False


def how_of(column: AnswerColumn) -> Measured:
    """Return how a measure's numbers are written."""
    return measured(column.name, column.unit, is_by_row=column.unit_column is not None)


def cell_of(column: AnswerColumn, row: Mapping[str, Any], grain: str | None = None) -> Cell:
    """Return one cell; `grain` is what days of the answer's time were cut to."""
    value = row[column.name]
    if column.role == "measure":
        currency = row[column.unit_column] if column.unit_column else None
        return Cell(written(value, how_of(column), currency=currency), is_number=True)
    if isinstance(value, str):
        words = _SLUGS.get(column.name.rpartition(".")[2])
        return Cell(words(value)) if words else Cell(short_name(value), is_name=True)
    if isinstance(value, date):
        return Cell(_day(value, grain if column.role == "time" else None))
    return Cell(_plain(value))


_SLUGS: Mapping[str, Callable[[str], str]] = {
    "source_platform": platform_words,
    "domain": lambda slug: DOMAINS.get(slug, slug),
}


def _day(value: date, grain: str | None) -> str:
    if isinstance(value, datetime):
        return grain_words(value.date(), grain) if grain else moment_words(value)
    return grain_words(value, grain) if grain else day_words(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else written(value, Measured("plain"))


def heading_unit(column: AnswerColumn) -> str:
    """Return the unit that a column's heading names; empty where the numbers say it themselves."""
    if column.role != "measure":
        return ""
    return how_of(column).words
