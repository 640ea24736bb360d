"""Charts: what the script draws, and the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from martlet.web.numbers import Measured, symbol, written

MAX_NAME = 60


@dataclass(frozen=True)
class Series:
    """One line or set of bars; a `quiet` one is what the others are compared with."""

    name: str
    values: Sequence[Any]
    quiet: bool = False


@dataclass(frozen=True)
class Chart:
    """One chart; `kind` is line or bars. All series have the same unit and one value per label."""

    title: str
    kind: str
    labels: Sequence[str]
    series: Sequence[Series]
    how: Measured
    first: str = "Day"
    long_labels: Sequence[str] = field(default=())

    @property
    def drawn(self) -> dict[str, Any]:
        """Return what the script needs, as JSON carries it."""
        return {
            "kind": self.kind,
            "labels": [_short(label) for label in self.labels],
            "unit": {
                "style": self.how.style,
                "prefix": symbol(self.how.currency) if self.how.style == "money" else "",
            },
            "series": [
                {
                    "name": _short(each.name),
                    "quiet": each.quiet,
                    "values": [None if v is None else float(v) for v in each.values],
                }
                for each in self.series
            ],
        }

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the same as rows of a table: a label, and a text for each series."""
        return [
            (label, [written(each.values[place], self.how) for each in self.series])
            for place, label in enumerate(self.long_labels or self.labels)
        ]

    @property
    def summary(self) -> str:
        """Return what the chart shows, for those who cannot see it."""
        told = [text for each in self.series if (text := self._told(each))]
        return f"{self.title}. {' '.join(told)}" if told else f"{self.title}. No values."

    def _told(self, series: Series) -> str:
        known = [
            (float(value), place) for place, value in enumerate(series.values) if value is not None
        ]
        if not known:
            return ""
        labels = self.long_labels or self.labels
        (low, lowest), (high, highest) = min(known), max(known)
        if low == high:
            return f"{_short(series.name)}: {written(low, self.how)} throughout."
        return (
            f"{_short(series.name)}: lowest {written(low, self.how)} ({_short(labels[lowest])}), "
            f"highest {written(high, self.how)} ({_short(labels[highest])})."
        )


def sparkline(values: Sequence[Any], width: int = 120, height: int = 28) -> str:
    """Return the points of a small line without axes; empty where there is nothing to draw."""
    known = [None if value is None else float(value) for value in values]
    present = [value for value in known if value is not None]
    if len(present) < 2:
        return ""
    low, high = min(present), max(present)
    step = width / (len(known) - 1)
    reach = (high - low) or 1.0
    return " ".join(
        f"{place * step:.1f},{height - 2 - (value - low) / reach * (height - 4):.1f}"
        for place, value in enumerate(known)
        if value is not None
    )


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= MAX_NAME else f"{one_line[: MAX_NAME - 1]}…"
