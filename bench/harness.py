"""Registers benchmarks, runs them beside their baselines, and keeps what they tell.

A benchmark is a function of a `Bench`. It lets its sides take turns, so that a ratio holds on a
busy machine too, and states what a ratio must reach.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from measuring import Reading, measured

QUICK_SCALE = 0.01
REPEAT = 5
QUICK_REPEAT = 3


@dataclass(frozen=True)
class Benchmark:
    """A registered benchmark."""

    name: str
    title: str
    run: Callable[["Bench"], None]
    in_quick: bool

    @property
    def group(self) -> str:
        """Return what the benchmark's module is about."""
        return self.run.__module__.removeprefix("benchmarks_")


REGISTRY: dict[str, Benchmark] = {}


def benchmark(
    name: str, title: str, *, in_quick: bool = True
) -> Callable[[Callable[["Bench"], None]], Callable[["Bench"], None]]:
    """Register a function as a benchmark."""

    def register(run: Callable[["Bench"], None]) -> Callable[["Bench"], None]:
        REGISTRY[name] = Benchmark(name, title, run, in_quick)
        return run

    return register


@dataclass
class Side:
    """What one side of a benchmark did, turn by turn."""

    name: str
    rows: int = 0
    readings: list[Reading] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """Return the median of the CPU seconds."""
        return statistics.median(reading.cpu for reading in self.readings)

    @property
    def wall(self) -> float:
        """Return the median of the wall seconds."""
        return statistics.median(reading.wall for reading in self.readings)

    @property
    def peak_bytes(self) -> int | None:
        """Return the median of the peak memory, where it was measured."""
        peaks = [r.peak_bytes for r in self.readings if r.peak_bytes is not None]
        return int(statistics.median(peaks)) if peaks else None


@dataclass(frozen=True)
class Turn:
    """One side's work for `turns`; `before` prepares each turn and is not measured.

    `work` returns a reading where it has measured itself. `rows` is what one turn works on.
    """

    work: Callable[[], Reading | None]
    before: Callable[[], None] | None = None
    rows: int = 0


@dataclass(frozen=True)
class Figure:
    """A figure beside the sides: a ratio, a size. A `must` makes it a target of the table."""

    what: str
    value: float
    unit: str
    must: float | None = None
    must_be: str = "<="

    @property
    def is_reached(self) -> bool | None:
        """Say whether the target is reached; None where there is none."""
        if self.must is None:
            return None
        return self.value <= self.must if self.must_be == "<=" else self.value >= self.must


@dataclass
class Bench:
    """What a benchmark works with and tells its figures to.

    `scale` multiplies sizes: a benchmark asks for its full size and works with what it gets.
    `shared` holds what took long to make, for the benchmarks that come later in this run.
    """

    folder: Path
    shared: dict[str, Any] = field(default_factory=dict)
    scale: float = 1.0
    repeat: int = REPEAT
    sides: list[Side] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    data: dict[str, int | str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cuts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def size(self, what: str, full: int, *, least: int = 1, most: int | None = None) -> int:
        """Return how many to work with where `full` are asked for, and keep what was cut."""
        size = max(min(least, full), round(full * self.scale))
        if most is not None:
            size = min(size, most)
        if size != full:
            self.cuts[what] = (full, size)
        self.data[what] = size
        return size

    def new_folder(self) -> AbstractContextManager[str]:
        """Give a folder that is removed at the end."""
        return tempfile.TemporaryDirectory(dir=self.folder)

    def turns(
        self, sides: Mapping[str, Turn], *, repeat: int | None = None, warm_up: bool = False
    ) -> dict[str, Side]:
        """Let the sides work in turns and return what each cost, also kept for the report."""
        told = {name: Side(name, turn.rows) for name, turn in sides.items()}
        for number in range((repeat or self.repeat) + warm_up):
            for name, turn in sides.items():
                if turn.before:
                    turn.before()
                with measured() as reading:
                    own = turn.work()
                if number >= warm_up:
                    told[name].readings.append(own or reading)
        self.sides += told.values()
        return told

    def figure(self, what: str, value: float, unit: str = "times") -> None:
        """Tell a figure that nothing depends on."""
        self.figures.append(Figure(what, value, unit))

    def at_most(self, what: str, value: float, limit: float, unit: str = "times") -> None:
        """Tell a figure that must not be larger than `limit`."""
        self.figures.append(Figure(what, value, unit, limit))

    def at_least(self, what: str, value: float, limit: float, unit: str = "times") -> None:
        """Tell a figure that must not be smaller than `limit`."""
        self.figures.append(Figure(what, value, unit, limit, ">="))

    def note(self, text: str) -> None:
        """Say what a reader must know to judge the figures."""
        self.notes.append(text)


def run_benchmark(bench: Bench, name: str) -> dict[str, Any]:
    """Run one benchmark and return its result as JSON keeps it."""
    registered = REGISTRY[name]
    with measured() as whole:
        registered.run(bench)
    return {
        "name": name,
        "title": registered.title,
        "group": registered.group,
        "scale": bench.scale,
        "data": bench.data,
        "cuts": bench.cuts,
        "sides": [_side_document(side) for side in bench.sides],
        "figures": [{**asdict(f), "is_reached": f.is_reached} for f in bench.figures],
        "notes": bench.notes,
        "whole": asdict(whole),
    }


def in_order(modules: Iterable[ModuleType]) -> list[Benchmark]:
    """Return the benchmarks of the modules, in the order of both."""
    return [b for m in modules for b in REGISTRY.values() if b.run.__module__ == m.__name__]


def chosen(registered: list[Benchmark], names: Iterable[str], *, quick: bool) -> list[str]:
    """Return the benchmarks to run; raises `SystemExit` for a name that is none."""
    asked = list(names)
    unknown = [name for name in asked if name not in REGISTRY]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; valid: {', '.join(REGISTRY)}")
    return asked or [b.name for b in registered if b.in_quick or not quick]


def _side_document(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "rows": side.rows,
        "cpu": side.cpu,
        "wall": side.wall,
        "peak_bytes": side.peak_bytes,
        "readings": [asdict(reading) for reading in side.readings],
    }
