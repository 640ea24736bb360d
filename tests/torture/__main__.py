"""`python -m tests.torture` kills, races, leaks and fuzzes for a while, and tells what it found."""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torture import canaries, fuzz, kills, machine, races, refusals
from tests.torture.projects import scratch, small_project

PARTS = ("kills", "races", "refusals", "canaries", "machine", "fuzz")
# What each part gets of the minutes.
SHARES = {
    "kills": 0.5,
    "races": 0.12,
    "refusals": 0.03,
    "canaries": 0.07,
    "machine": 0.13,
    "fuzz": 0.15,
}


@dataclass
class Total:
    """The figures of all parts."""

    seed: int
    figures: dict[str, Any] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def add(self, part: str, found: list[str], **figures: Any) -> None:
        self.figures[part] = figures | {"found": len(found)}
        self.found += [f"{part}: {each}" for each in found]


def tell(text: str) -> None:
    """Write a line of progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def main() -> int:
    """Do the parts that are asked for; 1 where a promise was broken."""
    options = _options()
    total = Total(options.seed)
    tell(f"seed {options.seed}; the same again: --seed {options.seed}")
    began = time.monotonic()
    for part in options.only or PARTS:
        share = sum(SHARES[p] for p in (options.only or PARTS))
        seconds = 60 * options.minutes * SHARES[part] / share
        DO[part](options, total, time.monotonic() + seconds)
    total.figures["minutes"] = round((time.monotonic() - began) / 60, 1)
    _write(total, options.report)
    return 1 if total.found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="roughly, over all parts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--start", type=int, default=0, help="of the kills: the first trial")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be repeated")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", type=Path, help="a JSON file for the figures")
    return parser.parse_args()


def _kills(options: argparse.Namespace, total: Total, deadline: float) -> None:
    done = kills.torture(
        seed=options.seed,
        start=options.start,
        trials=10_000,
        deadline=deadline,
        processes=options.processes,
        tell=tell,
    )
    total.add(
        "kills",
        done.found,
        kills=done.kills.total(),
        at=dict(sorted(done.kills.items())),
        points_not_reached=done.missed.total(),
        trials=dict(done.trials),
        looks_of_readers=done.polls,
        versions_read=done.versions_seen,
    )


def _races(_: argparse.Namespace, total: Total, deadline: float) -> None:
    with scratch() as folder:
        done, refused, found = races.torture(kills.prepare(folder), deadline=deadline, tell=tell)
    total.add("races", found, schedules=done, told_to_wait=refused)


def _refusals(_: argparse.Namespace, total: Total, __: float) -> None:
    with scratch() as folder:
        done, found = refusals.torture(kills.prepare(folder), tell=tell)
    total.add("refusals", found, schedules=done)


def _canaries(options: argparse.Namespace, total: Total, _: float) -> None:
    with scratch() as folder:
        done = canaries.torture(folder, seed=str(options.seed), rounds=6, tell=tell)
    total.add(
        "canaries",
        done.found,
        relations=done.relations,
        files=done.files,
        answers=done.answers,
        answers_with_their_own=done.own,
    )


def _machine(options: argparse.Namespace, total: Total, deadline: float) -> None:
    steps, histories, found = machine.torture(chance=options.seed, deadline=deadline, tell=tell)
    total.add("machine", found, histories=histories, steps=sum(steps.values()), of=dict(steps))


def _fuzz(options: argparse.Namespace, total: Total, deadline: float) -> None:
    # As measured on two cores: 20 configurations or files a second.
    cases = max(200, int((deadline - time.monotonic()) * 40))
    with scratch() as folder:
        done = fuzz.torture(
            folder,
            small_project(folder / "project"),
            chance=options.seed,
            configurations_=max(10_000, cases) if options.minutes >= 20 else cases,
            files_=cases // 4,
            messages_=cases // 4,
            tell=tell,
        )
    total.add("fuzz", done.found, cases=dict(done.cases), ended=dict(done.outcomes))


DO: dict[str, Callable[[argparse.Namespace, Total, float], None]] = {
    "kills": _kills,
    "races": _races,
    "refusals": _refusals,
    "canaries": _canaries,
    "machine": _machine,
    "fuzz": _fuzz,
}


def _write(total: Total, report: Path | None) -> None:
    document = {"seed": total.seed, **total.figures, "findings": total.found}
    if report:
        report.write_text(json.dumps(document, indent=1) + "\n")
    for part, figures in total.figures.items():
        if isinstance(figures, dict):
            plain = {k: v for k, v in figures.items() if not isinstance(v, dict)}
            sys.stdout.write(f"{part:10} {', '.join(f'{k} {v:,}' for k, v in plain.items())}\n")
            for name, count in Counter(figures.get("at", {})).most_common():
                sys.stdout.write(f"{count:>8,}  {name}\n")
    sys.stdout.write(f"{'minutes':10} {total.figures['minutes']}, seed {total.seed}\n")
    sys.stdout.writelines(f"FOUND {each}\n" for each in total.found)


if __name__ == "__main__":
    sys.exit(main())
