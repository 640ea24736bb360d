"""Lineage: from landed tables to the published mart, as a picture and in words."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from martlet.web.words import object_words, platform_words, title_of

STEPS = (
    "Landed table",
    "Pushed by",
    "Master model",
    "Read by",
    "Star schema",
    "Published",
)
WIDTH, HEIGHT, GAP, TOP, ROW = 184, 30, 28, 30, 38
_LETTERS = 25
_STAR = re.compile(r"(fct|dim)_[a-z0-9_]+?__([a-z0-9_]+)")
_KINDS = {"fct": "facts", "dim": "dimension"}


@dataclass(frozen=True)
class Node:
    """One box: its column, what it says, and where its middle is."""

    name: str
    step: int
    label: str
    under: str
    y: float
    kind: str = ""

    @property
    def x(self) -> int:
        return self.step * (WIDTH + GAP)


@dataclass(frozen=True)
class Way:
    """How one source gets into the mart, in words."""

    source: str
    landed: str
    pusher: str
    master: str
    reader: str | None
    stars: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """The picture, its size, and the same in words."""

    nodes: tuple[Node, ...]
    lines: tuple[str, ...]
    width: int
    height: int
    ways: tuple[Way, ...]
    steps: Sequence[tuple[int, str]] = field(
        default=tuple((i * (WIDTH + GAP), s) for i, s in enumerate(STEPS))
    )


def lineage_of(
    tenant: str, models: Iterable[Mapping[str, str]], held: Iterable[str] = ()
) -> Lineage | None:
    """Return the lineage of a tenant's models; None where none ran yet.

    `models` have a name and the ids that they depend on, as JSON. `held` are landed tables that may
    not be pushed.
    """
    reads = {model["name"]: json.loads(model["depends_on"] or "[]") for model in models}
    # Sources of one master model beside each other, so that no line crosses another for nothing.
    ways = tuple(sorted(_ways(tenant, reads), key=lambda way: (way.master, way.source)))
    return _drawn(tenant, ways, frozenset(held)) if ways else None


def _ways(tenant: str, reads: Mapping[str, Sequence[str]]) -> Iterable[Way]:
    readers = {name: parents for name, parents in reads.items() if name.startswith("int_")}
    stars = {name: parents for name, parents in reads.items() if _STAR.fullmatch(name)}
    for name, parents in reads.items():
        if not name.startswith(f"stg_{tenant}__"):
            continue
        landed = [parent for parent in parents if parent.startswith("source.")]
        masters = [_last(parent) for parent in parents if "platform_mm__" in parent]
        if not landed or not masters:
            continue
        _, _, schema, table = landed[0].split(".", 3)
        reader = next((int_ for int_, above in readers.items() if name in map(_last, above)), None)
        yield Way(
            source=_source(tenant, schema, table),
            landed=table,
            pusher=name,
            master=masters[0],
            reader=reader,
            stars=tuple(
                sorted(
                    star
                    for star, above in stars.items()
                    if reader and reader in [_last(parent) for parent in above]
                )
            ),
        )


def _source(tenant: str, schema: str, table: str) -> str:
    platform = schema.removeprefix(f"{tenant}_")
    object_, _, connection = table.removeprefix(f"{schema}__").partition("__")
    named = f"{platform_words(platform)}: {object_words(object_)}"
    return f"{named} ({connection})" if connection else named


def _drawn(tenant: str, ways: Sequence[Way], held: frozenset[str]) -> Lineage:
    places = {way.pusher: TOP + ROW / 2 + place * ROW for place, way in enumerate(ways)}
    nodes: dict[tuple[int, str], Node] = {}
    lines: dict[str, None] = {}

    def put(step: int, name: str, label: str, under: str, y: float, kind: str = "") -> Node:
        return nodes.setdefault((step, name), Node(name, step, label, under, y, kind))

    def join(one: Node, other: Node) -> None:
        start, end = one.x + WIDTH, other.x
        middle = (start + end) / 2
        lines[
            f"M{start} {one.y:.1f}C{middle:.0f} {one.y:.1f} {middle:.0f} {other.y:.1f} "
            f"{end} {other.y:.1f}"
        ] = None

    stars = sorted({star for way in ways for star in way.stars})
    bottom = TOP + len(ways) * ROW
    star_places = _spread(stars, TOP, bottom)
    published = put(
        5, "mart", f"{title_of(tenant)}'s mart", "read by pages and API", (TOP + bottom) / 2, "star"
    )
    masters: dict[str, list[float]] = {}
    for way in ways:
        masters.setdefault(way.master, []).append(places[way.pusher])
    for way in ways:
        y = places[way.pusher]
        kind = "held" if way.landed in held else ""
        landed = put(0, way.landed, way.source, way.landed, y, kind)
        pusher = put(1, way.pusher, "Pusher", way.pusher, y)
        where = masters[way.master]
        master = put(
            2,
            way.master,
            _master_words(way.master),
            "of all tenants",
            sum(where) / len(where),
            "shared",
        )
        join(landed, pusher)
        join(pusher, master)
        if way.reader:
            reader = put(3, way.reader, "View of this tenant", way.reader, y)
            join(master, reader)
            for star in way.stars:
                found = put(4, star, _star_words(star), star, star_places[star], "star")
                join(reader, found)
                join(found, published)
    return Lineage(
        nodes=tuple(nodes.values()),
        lines=tuple(lines),
        width=len(STEPS) * (WIDTH + GAP) - GAP,
        height=int(bottom + 8),
        ways=tuple(ways),
    )


def _spread(names: Sequence[str], top: float, bottom: float) -> dict[str, float]:
    room = (bottom - top) / max(1, len(names))
    return {name: top + room * (place + 0.5) for place, name in enumerate(names)}


def _master_words(master: str) -> str:
    return title_of(master.removeprefix("platform_mm__").replace("_api_v", "_v"))


def _star_words(star: str) -> str:
    found = _STAR.fullmatch(star)
    assert found is not None
    return f"{title_of(found[2])} ({_KINDS[found[1]]})"


def _last(node: str) -> str:
    return node.rpartition(".")[2]


def cut(text: str, letters: int = _LETTERS) -> str:
    """Return a text that fits a box."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
