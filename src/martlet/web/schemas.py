"""Schemas: the shapes that each source has had, what changed, and where its rows go."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from martlet.web.context import find_strip
from martlet.web.lineage import cut, lineage_of
from martlet.web.operations import Row, opened
from martlet.web.visit import Visit
from martlet.web.words import VERDICTS, counted, source_words

_HISTORY = """
select
    source_platform, object, connection, landed_table, version_number, source_schema_hash, verdict,
    columns::varchar as columns, difference::varchar as difference, seen_at
from ops.schema_history order by landed_table, object, connection, version_number
"""
_DECISIONS = """
select
    source_platform, object, connection, landed_table, verdict, reason, source_schema_hash,
    master_model, differences::varchar as differences, decided_at
from ops.routing_decisions order by decided_at, landed_table
"""
_MODELS = "select name, depends_on::varchar as depends_on from ops.models"


@dataclass(frozen=True)
class Event:
    """One point of a source's history: a shape, or a decision on one."""

    at: datetime | None
    title: str
    fingerprint: str | None
    verdict: str
    tone: str
    changes: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True)
class Source:
    """One landed table with its history, the newest first; `columns` are of its last shape."""

    anchor: str
    name: str
    table: str
    verdict: str
    tone: str
    events: tuple[Event, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def words(self) -> str:
        shapes = sum(event.title.startswith("Shape") for event in self.events)
        return f"{counted(shapes, 'shape')}, {counted(len(self.columns), 'column')}"


def schemas(visit: Visit) -> Response:
    """Show the shapes of the tenant's sources, and the lineage."""
    strip = find_strip(visit)
    with opened(visit) as snapshot:
        if snapshot is None:
            return visit.show("nothing_ran.html", strip=strip)
        history, decisions = snapshot.rows(_HISTORY), snapshot.rows(_DECISIONS)
        models = snapshot.rows(_MODELS)
    sources = list(_sources(history, decisions))
    held = [source.table for source in sources if source.tone == "bad"]
    return visit.show(
        "schemas.html",
        strip=strip,
        sources=sources,
        lineage=lineage_of(visit.slug, models, held),
        cut=cut,
    )


def _sources(history: Iterable[Row], decisions: Iterable[Row]) -> Iterable[Source]:
    shapes: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    decided: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in history:
        shapes[_place(row)].append(row)
    for row in decisions:
        decided[_place(row)].append(row)
    for place in sorted({*shapes, *decided}):
        yield _source(place, shapes[place], decided[place])


def _place(row: Row) -> tuple[str, str, str]:
    return row["source_platform"], row["object"], row["connection"]


def _source(place: tuple[str, str, str], shapes: Sequence[Row], decided: Sequence[Row]) -> Source:
    seen = {row["source_schema_hash"] for row in shapes}
    events = [_shape(row) for row in shapes]
    # A shape that may not be pushed is in no history of pushed ones: the decision is all we have.
    events += [_decision(row) for row in decided if row["source_schema_hash"] not in seen]
    events.sort(key=lambda event: (event.at is not None, event.at), reverse=True)
    newest = decided[-1] if decided else shapes[-1]
    words, tone = _verdict(newest["verdict"])
    columns = json.loads(shapes[-1]["columns"] or "[]") if shapes else []
    return Source(
        anchor="-".join(place),
        name=source_words(*place),
        table=newest["landed_table"],
        verdict=words,
        tone=tone,
        events=tuple(events),
        columns=tuple((column["name"], column["type"]) for column in columns),
    )


def _shape(row: Row) -> Event:
    words, tone = _verdict(row["verdict"])
    return Event(
        at=row["seen_at"],
        title=f"Shape {row['version_number']}",
        fingerprint=row["source_schema_hash"],
        verdict=words,
        tone=tone,
        changes=tuple(_changes(row)),
        reason=None,
    )


def _decision(row: Row) -> Event:
    words, tone = _verdict(row["verdict"])
    return Event(
        at=row["decided_at"],
        title="Held back" if row["master_model"] is None else "Decision",
        fingerprint=row["source_schema_hash"],
        verdict=words,
        tone=tone,
        changes=tuple(_texts(row["differences"])),
        reason=row["reason"],
    )


def _changes(row: Row) -> Iterable[str]:
    """Give what is different from the shape before, column by column."""
    if not row["difference"]:
        return
    difference: dict[str, Any] = json.loads(row["difference"]) or {}
    types = {column["name"].lower(): column["type"] for column in json.loads(row["columns"])}
    for name in difference.get("added", ()):
        yield f"new column {name} ({types.get(name, 'unknown type')})"
    for name in difference.get("removed", ()):
        yield f"column {name} is gone"
    for name, before, after in difference.get("retyped", ()):
        yield f"column {name} was {before}, is {after}"


def _texts(differences: str | None) -> list[str]:
    found = json.loads(differences or "[]") or []
    return [each if isinstance(each, str) else json.dumps(each) for each in found][:50]


def _verdict(verdict: str | None) -> tuple[str, str]:
    return VERDICTS.get(verdict or "", (verdict or "no verdict", "warn"))
