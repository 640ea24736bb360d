"""A day at several numbers of tenants: nothing, one or all new; and onboarding one more."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from crowd import FIRST_DAY, SCALE, SOURCES, grow, new_crowd, slug_of
from harness import Bench, Side, Turn, benchmark
from measuring import Reading, measured
from projects import configure, copy_project

from martlet.landing.command import land_simulated
from martlet.settings import Settings

SIZES = (2, 50, 200, 1_000)
REAL = 2  # tenants that have really been run; the others are copies of the first
SECONDS_WITHOUT_NEWS = 5.0
ONE_AGAINST_FEW = 1.2
# The command as a user gives it, which says at its end how much memory it has held.
_MEASURED = """
import atexit, pathlib, sys
from martlet.cli import main
lines = lambda: pathlib.Path("/proc/self/status").read_text().splitlines()
peak = lambda: next(line.split()[1] for line in lines() if line.startswith("VmHWM"))
atexit.register(lambda: print(peak(), file=sys.stderr))
main()
"""


@benchmark("day_nothing_new", "A day with nothing new, at 2 to 1,000 tenants", in_quick=False)
def day_nothing_new(bench: Bench) -> None:
    """The whole command, from its start to its end; tenants.yaml is read, and every tenant told."""
    projects = _projects(bench)
    sides = bench.turns(
        {
            f"{size:,} tenants": Turn(partial(_run, bench, settings, ran=0), None, size)
            for size, settings in projects.items()
        },
        warm_up=True,
    )
    most = max(projects)
    whole = sides[f"{most:,} tenants"]
    what = f"a day with nothing new, {most:,} tenants, no dbt: in all"
    bench.at_most(what, whole.wall, SECONDS_WITHOUT_NEWS, "s")
    bench.figure(f"the same, CPU of {most:,} tenants", whole.cpu, "s")


@benchmark(
    "day_one_new", "A day on which one tenant has news, at 2 to 1,000 tenants", in_quick=False
)
def day_one_new(bench: Bench) -> None:
    """Each turn lands a day of the same tenant; the whole command looks at all of them."""
    projects = _projects(bench)
    _run_all_once(bench, projects)
    sides = bench.turns(
        {
            f"{size:,} tenants": Turn(
                partial(_run, bench, settings, ran=1), _landing(bench, settings, 1), 1
            )
            for size, settings in projects.items()
        }
    )
    least, most = min(projects), max(projects)
    bench.at_most(
        f"one tenant's refresh, CPU: {most:,} tenants against {least:,}",
        sides[f"{most:,} tenants"].cpu / sides[f"{least:,} tenants"].cpu,
        ONE_AGAINST_FEW,
    )


@benchmark("day_all_new", "A day on which all tenants have news", in_quick=False)
def day_all_new(bench: Bench) -> None:
    """Cut: of each number of tenants, only the first two have news. Nothing is extrapolated."""
    projects = _projects(bench)
    sides = bench.turns(
        {
            f"{REAL} of {size:,} tenants": Turn(
                partial(_run, bench, settings, ran=REAL), _landing(bench, settings, REAL), REAL
            )
            for size, settings in projects.items()
        },
        repeat=min(bench.repeat, 2),
    )
    for size, side in zip(projects, sides.values(), strict=True):
        bench.cuts[f"tenants with news of {size:,}"] = (size, REAL)
        bench.figure(f"CPU of each tenant with news, {size:,} tenants", side.cpu / REAL, "s")
    bench.note(
        "tenants run one after the other: a warehouse file has one writing process, and the "
        "engine runs the statements of a tenant on all cores"
    )


@benchmark("day_onboarding", "Onboarding the last tenant", in_quick=False)
def day_onboarding(bench: Bench) -> None:
    """One stanza more in tenants.yaml, then `martlet onboard`: its files are written."""
    projects = _projects(bench)
    sides: dict[str, Side] = bench.turns(
        {
            f"tenant {size + 1:,}": Turn(
                partial(_onboard, settings, size),
                partial(_announce, settings, size),
                1,
            )
            for size, settings in projects.items()
        }
    )
    least, most = min(projects), max(projects)
    bench.figure(
        f"CPU: tenant {most + 1:,} against tenant {least + 1:,}",
        sides[f"tenant {most + 1:,}"].cpu / sides[f"tenant {least + 1:,}"].cpu,
    )
    for size, settings in projects.items():
        configure(settings.project_dir, dict.fromkeys(map(slug_of, range(size)), SOURCES))


def _projects(bench: Bench) -> dict[int, Settings]:
    """Return a project of each size; at a small scale several sizes may become one."""
    asked = [bench.size(f"tenants of {size:,}", size, least=REAL) for size in SIZES]
    bench.data["tenants that were really run"] = REAL
    projects: dict[int, Settings] = bench.shared.setdefault("crowds", {})
    first = bench.shared.get("crowd") or new_crowd(bench.folder / "crowd", REAL)
    bench.shared["crowd"] = first
    for size in dict.fromkeys(asked):
        if size not in projects:
            projects[size] = copy_project(first, bench.folder / f"crowd_{size}")
            grow(projects[size], REAL, size)
    return {size: projects[size] for size in dict.fromkeys(asked)}


def _run_all_once(bench: Bench, projects: dict[int, Settings]) -> None:
    """What only a copied project's first run does is measured by nobody."""
    for settings in projects.values():
        _landing(bench, settings, 1)()
        _run(bench, settings, ran=1)


def _landing(bench: Bench, settings: Settings, tenants: int) -> Callable[[], None]:
    """Return what lands one day more for the first tenants."""

    def land() -> None:
        days: dict[str, int] = bench.shared.setdefault("crowd_days", {})
        day = days[settings.project_dir.name] = days.get(settings.project_dir.name, 0) + 1
        for number in range(tenants):
            land_simulated(
                settings,
                slug_of(number),
                days=1,
                until=FIRST_DAY + timedelta(days=day),
                seed=number,
                scale=SCALE,
            )

    return land


def _run(bench: Bench, settings: Settings, *, ran: int) -> Reading:
    """Run the command; raises `SystemExit` where it runs more tenants, or fewer, than have news."""
    reading, document = _martlet(settings, "run", "--json")
    told = len({mart["tenant"] for mart in document["marts"]})
    if told - len(document["unchanged"]) != ran or document["findings"]:
        raise SystemExit(f"{told} tenants told, {len(document['unchanged'])} unchanged")
    stages = ", ".join(f"{s['stage']} {s['seconds']:.2f} s" for s in document["stages"])
    name = f"stages of the last run of {ran} of {told:,} tenants"
    bench.notes = [note for note in bench.notes if not note.startswith(name)]
    bench.note(f"{name}: {stages}")
    return reading


def _onboard(settings: Settings, size: int) -> Reading:
    reading, _ = _martlet(settings, "onboard", slug_of(size), "--json")
    return reading


def _announce(settings: Settings, size: int) -> None:
    """Let tenants.yaml name one tenant more, of which there is no file."""
    slugs = [slug_of(number) for number in range(size + 1)]
    configure(settings.project_dir, dict.fromkeys(slugs, SOURCES))
    for file in settings.project_dir.glob(f"models/*/{slugs[-1]}/**/*.*"):
        file.unlink()


def _martlet(settings: Settings, *arguments: str) -> tuple[Reading, Any]:
    """Run a command in a process of its own, from its start to its end; return what it prints."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    with measured() as reading:
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, *arguments],
            cwd=settings.project_dir,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"martlet {' '.join(arguments)} failed: {done.stdout}\n{done.stderr}")
    reading.peak_bytes = int(done.stderr.split()[-1]) * 1024
    return reading, json.loads(done.stdout)
