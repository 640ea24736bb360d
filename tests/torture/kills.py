"""Commands are killed, one kill on top of the other; one resume must make everything as if none."""

import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from martlet.marts.versions import VersionFolder
from tests.project import Project
from tests.torture.contents import (
    Contents,
    difference,
    landed,
    leftovers,
    marts,
    pointers,
    read_mart,
    warehouse_contents,
)
from tests.torture.projects import (
    LAND,
    SOURCES,
    command,
    copied,
    scratch,
    small_project,
    succeed,
)

# A point's name, what matches it, and how often it comes in the command.
Point = tuple[str, dict[str, Any], int]

_PUSH = r"insert into \S*platform_mm__"
_LEDGER = r"insert into \S*push_ledger"
_COMMIT = r"^(\s*/\*.*?\*/)?\s*commit"
RUN_POINTS: tuple[Point, ...] = (
    ("scaffold: a file is written", {"file": r"(open|os\.rename|os\.mkdir) .*/models/"}, 40),
    ("run: a table is made", {"statement": "create table if not exists"}, 25),
    ("run: before the insert", {"statement": _PUSH}, 4),
    ("run: after the insert, before the ledger", {"statement": _PUSH, "after": True}, 4),
    ("run: before the ledger", {"statement": _LEDGER}, 2),
    ("run: after the ledger, before the commit", {"statement": _LEDGER, "after": True}, 2),
    ("run: before a commit", {"statement": _COMMIT}, 40),
    ("run: after a commit", {"statement": _COMMIT, "after": True}, 40),
    ("run: a fact is made", {"statement": r"create\s+(or replace )?table\s+\S*(fct|dim)_"}, 4),
    ("run: in the upload of artifacts", {"statement": r"insert into ops\.", "after": True}, 6),
    ("run: in a checkpoint, by DuckDB's own abort", {"checkpoint": True}, 1),
    ("run: the state of the run is noted", {"statement": r"ops\.run_states"}, 4),
    ("publish: before the version is promoted", {"file": r"os\.rename .*marts.*\.draft-"}, 1),
    ("publish: before the swap", {"file": r"os\.rename .*marts.*current\."}, 1),
    ("publish: after the swap", {"statement": "detach database if exists", "after": True}, 1),
    ("publish: the operational snapshot", {"file": r"os\.rename .*/ops/"}, 4),
)
PUBLISH_POINTS: tuple[Point, ...] = (
    ("publish: while the draft is written", {"statement": "mart_draft"}, 20),
    ("publish: in a checkpoint, by DuckDB's own abort", {"checkpoint": True}, 1),
    *(point for point in RUN_POINTS if point[0].startswith("publish: ")),
    ("publish: a file is changed", {"file": "(open|os.rename|os.remove) .*/(marts|ops)/"}, 24),
)
LAND_POINTS: tuple[Point, ...] = (
    ("land: a file of the package is changed", {"file": "."}, 90),
    ("land: before the rows are inserted", {"statement": r"insert into .*acme_"}, 2),
    ("land: after the rows are inserted", {"statement": r"insert into .*acme_", "after": True}, 2),
    ("land: before a commit", {"statement": "^commit"}, 6),
    ("land: after a commit", {"statement": "^commit", "after": True}, 6),
    ("land: in a checkpoint, by DuckDB's own abort", {"checkpoint": True}, 1),
)
CHECKPOINTS = ("before_truncate", "before_header", "after_free_list_write")


@dataclass
class Report:
    """What was done, by the point at which it was done; `found` are broken promises."""

    kills: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    trials: Counter[str] = field(default_factory=Counter)
    polls: int = 0
    versions_seen: int = 0
    found: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        self.kills += other.kills
        self.missed += other.missed
        self.trials += other.trials
        self.polls += other.polls
        self.versions_seen += other.versions_seen
        self.found += other.found


@dataclass(frozen=True)
class Bases:
    """Prepared projects, and what each must hold once the command has gone through."""

    folder: Path
    landed: Project  # two tenants have landed, nothing was run
    published: Project  # both are published
    news: Project  # and one has landed again
    first_truth: Contents
    first_marts: Contents
    news_truth: Contents
    news_marts: Contents
    landed_truth: Contents


@dataclass
class Reader:
    """Polls the marts as a server does: what it is pointed at must be there, and whole."""

    project: Project
    known: frozenset[str]
    polls: int = 0
    seen: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Reader":
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._over.wait(0.1):
            for slug in SOURCES:
                self.polls += 1
                try:
                    self._look(slug)
                except (AssertionError, duckdb.Error, OSError) as error:
                    self.wrong.append(f"a reader of {slug} met {error}")

    def _look(self, slug: str) -> None:
        folder = VersionFolder(self.project.settings.marts_dir / slug)
        version = folder.current()
        if version is None or f"{slug} {version}" in self.seen:
            return
        digest = read_mart(folder.path_of(version), slug)
        self.seen.add(f"{slug} {version}")
        if digest not in self.known:
            shutil.copy(folder.path_of(version), self.project.folder.parent)
            self.wrong.append(f"a reader of {slug} saw {version}, which is no whole version")


def prepare(folder: Path) -> Bases:
    """Make the projects that are copied for every trial, and run copies of them through."""
    first = small_project(folder / "landed")
    for slug in SOURCES:
        succeed(first, "land", slug, "--days", "2", *LAND)
    published = copied(first, folder / "published")
    succeed(published, "run", "--tenant", "acme")
    first_truth, first_marts = warehouse_contents(published), marts(published)
    succeed(published, "run")
    news = copied(published, folder / "news")
    succeed(news, "land", "acme", "--days", "3", *LAND)
    whole = copied(news, folder / "whole")
    succeed(whole, "run")
    return Bases(
        folder,
        first,
        published,
        news,
        first_truth,
        first_marts,
        warehouse_contents(whole),
        marts(whole),
        landed(whole, "acme"),
    )


def trial(bases: Bases, seed: str) -> Report:
    """Kill one command several times, let it through once, and compare."""
    chance = random.Random(seed)
    kind = chance.choice(["land", "land", "first run", "run", "run", "publish", "publish"])
    report = Report(trials=Counter([kind]))
    with scratch(keeps=report.found) as folder:
        do = {
            "land": _kill_landings,
            "first run": partial(_kill_runs, is_first=True),
            "run": partial(_kill_runs, is_first=False),
            "publish": _kill_publications,
        }[kind]
        try:
            do(bases, folder, chance, report)
        except (AssertionError, duckdb.Error, OSError, ValueError) as error:
            deaths = "; ".join(report.deaths)
            report.found.append(f"trial {seed} ({kind}): {error}\n  killed at: {deaths}")
    return report


def _kill_landings(bases: Bases, folder: Path, chance: random.Random, report: Report) -> None:
    project = copied(bases.published, folder / "project")
    landing = ("land", "acme", "--days", "3", *LAND)
    _kill(project, landing, LAND_POINTS, chance, report, kills=chance.randint(4, 10), seconds=3)
    succeed(project, *landing)
    _expect("landing", bases.landed_truth, landed(project, "acme"))
    if chance.random() < 0.25:
        succeed(project, "run")
        expected, found = _without_loads(bases), warehouse_contents(project, loads=False)
        _expect("warehouse", expected, found)
        _expect("marts", bases.news_marts, marts(project))


def _without_loads(bases: Bases) -> Contents:
    return warehouse_contents(Project(bases.folder / "whole"), loads=False)


def _kill_runs(
    bases: Bases, folder: Path, chance: random.Random, report: Report, *, is_first: bool
) -> None:
    project = copied(bases.landed if is_first else bases.news, folder / "project")
    arguments = ("run", "--tenant", "acme")
    truth = bases.first_truth if is_first else bases.news_truth
    true_marts = bases.first_marts if is_first else bases.news_marts
    known = frozenset({*bases.first_marts.values(), *bases.news_marts.values()})
    known |= frozenset(marts(bases.published).values())
    with Reader(project, known) as reader:
        kills = chance.randint(5, 9)
        _kill(project, arguments, RUN_POINTS, chance, report, kills=kills, seconds=12)
        succeed(project, *arguments)
    report.polls += reader.polls
    report.versions_seen += len(reader.seen)
    assert not reader.wrong, "; ".join(reader.wrong)
    _expect("warehouse", truth, warehouse_contents(project))
    _expect("marts", true_marts, marts(project))
    assert not leftovers(project), f"left behind: {leftovers(project)}"
    _expect_nothing_more(project, arguments)


def _kill_publications(bases: Bases, folder: Path, chance: random.Random, report: Report) -> None:
    project = copied(bases.published, folder / "project")
    kill_publications(project, chance, report, kills=chance.randint(6, 12))


def kill_publications(
    project: Project, chance: random.Random, report: Report, *, kills: int
) -> None:
    """Kill publications of what is published already; every version has the same rows."""
    arguments = ("publish", "--force")
    truth, true_marts = warehouse_contents(project), marts(project)
    with Reader(project, frozenset(true_marts.values())) as reader:
        _kill(project, arguments, PUBLISH_POINTS, chance, report, kills=kills, seconds=3)
        succeed(project, *arguments)
    report.polls += reader.polls
    report.versions_seen += len(reader.seen)
    assert not reader.wrong, "; ".join(reader.wrong)
    _expect("warehouse", truth, warehouse_contents(project))
    _expect("marts", true_marts, marts(project))
    assert not leftovers(project), f"left behind: {leftovers(project)}"
    _expect_nothing_more(project, ("publish",))


def _kill(
    project: Project,
    arguments: tuple[str, ...],
    points: tuple[Point, ...],
    chance: random.Random,
    report: Report,
    *,
    kills: int,
    seconds: float,
) -> None:
    """Kill the command as often, half of the times at a named point, else at any moment."""
    for _ in range(kills):
        name, death = f"{arguments[0]}: at any moment", {"seconds": chance.uniform(0.02, seconds)}
        if chance.random() < 0.6:
            name, where, count = chance.choice(points)
            death = where | {"nth": chance.randint(1, count)}
            if "checkpoint" in where:
                death = {"checkpoint": chance.choice(CHECKPOINTS)}
        report.deaths.append(f"{time.strftime('%H%M%S')} {json.dumps(death)}")
        began = time.monotonic()
        done = command(project, *arguments, death=death)
        if done.was_killed or ("checkpoint" in death and done.code == 1):
            report.kills[name] += 1
            continue
        report.missed[name] += 1
        assert done.code == 0, f"{death}: {done.told}"
        if "seconds" in death:
            seconds = time.monotonic() - began


def _expect(what: str, expected: Contents, found: Contents) -> None:
    assert found == expected, f"{what} differs: {difference(expected, found)}"


def _expect_nothing_more(project: Project, arguments: tuple[str, ...]) -> None:
    before, named = warehouse_contents(project), pointers(project)
    succeed(project, *arguments)
    _expect("what was at rest", before, warehouse_contents(project))
    assert pointers(project) == named, f"the second time published {pointers(project)} anew"


def torture(
    *,
    seed: int,
    start: int,
    trials: int,
    deadline: float,
    processes: int,
    tell: Callable[[str], None],
) -> Report:
    """Do the trials of a seed from `start` until they are done or the time is over."""
    report = Report()
    with scratch() as folder:
        bases = prepare(folder)
        with ThreadPoolExecutor(processes) as pool:

            def attempt(number: int) -> Report:
                if time.monotonic() > deadline:
                    return Report()
                return trial(bases, f"{seed}/{number}")

            asked = [pool.submit(attempt, number) for number in range(start, start + trials)]
            for done in as_completed(asked):
                report.add(done.result())
                for found in done.result().found:
                    tell(f"FOUND {found}")
                tell(f"{report.trials.total()} trials, {report.kills.total()} kills")
    return report


def one(seed: str) -> Report:
    """Do a single trial again."""
    with scratch() as folder:
        return trial(prepare(folder), seed)
