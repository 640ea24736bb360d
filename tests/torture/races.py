"""Two commands at once: the exact result, or a clear word of who holds what, and since when."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.project import Project
from tests.torture.contents import (
    difference,
    landed,
    leftovers,
    marts,
    pointers,
    warehouse_contents,
)
from tests.torture.kills import Bases
from tests.torture.projects import (
    LAND,
    SOURCES,
    Command,
    command,
    copied,
    repository_environment,
    scratch,
    succeed,
)
from tests.warehouse.state import generated

PATIENTLY = ("--wait", "600")
IMPATIENTLY = ("--wait", "0.2")
# Who waits in vain reads what is held, by whom and for how long.
HELD = re.compile(r"(holds|under way|publishes here).*PID \d+.*(for|, running)", re.DOTALL)


def both(project: Project, *commands: tuple[str, ...]) -> list[Command]:
    """Run commands at the same time."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda arguments: command(project, *arguments), commands))


def race(
    bases: Bases, folder: Path, commands: tuple[tuple[str, ...], ...], *, from_news: bool
) -> int:
    """Let commands race from a base; afterwards everything is as if they had come one by one.

    Return how many were told to wait.
    """
    project = copied(bases.news if from_news else bases.landed, folder / "project")
    refused = 0
    for done in both(project, *commands):
        if done.code:
            assert done.code == 1, done.told
            assert HELD.search(done.stderr + done.stdout), f"no word of a holder: {done.told}"
            refused += 1
    succeed(project, "run")
    whole = bases.folder / ("whole" if from_news else "published")
    expected = warehouse_contents(Project(whole))
    found = warehouse_contents(project)
    assert found == expected, difference(expected, found)
    assert marts(project) == marts(Project(whole)), "the marts differ"
    assert not leftovers(project), f"left behind: {leftovers(project)}"
    return refused


def two_landings(bases: Bases, folder: Path) -> int:
    """Land the same twice at once: each record is there, each load whole."""
    project = copied(bases.published, folder / "project")
    landing = ("land", "acme", "--days", "3", *LAND)
    done = both(project, (*landing, *PATIENTLY), (*landing, *IMPATIENTLY))
    refused = [each for each in done if each.code]
    for each in refused:
        assert each.code == 1, each.told
        assert HELD.search(each.stderr), f"no word of a holder: {each.told}"
    assert len(refused) < len(done), "neither landing got through"
    assert landed(project, "acme") == bases.landed_truth, "what has landed differs"
    succeed(project, "run")
    assert marts(project) == bases.news_marts, "the marts differ"
    return len(refused)


def two_onboardings(bases: Bases, folder: Path) -> int:
    """Write the files of the tenants twice at once: they are those of one."""
    project = copied(bases.landed, folder / "project")
    for done in both(project, ("onboard",), ("onboard",), ("onboard", "acme")):
        assert done.code == 0, done.told
    contents = {name: text for name, (text, _) in generated(project).items()}
    alone = copied(bases.landed, folder / "alone")
    succeed(alone, "onboard")
    assert contents == {name: text for name, (text, _) in generated(alone).items()}
    assert not leftovers(project), f"left behind: {leftovers(project)}"
    return 0


def dead_holders(bases: Bases, folder: Path) -> int:
    """What a killed process held is free: nobody waits for the dead."""
    project = copied(bases.published, folder / "project")
    for arguments, death in (
        (("land", "acme", "--days", "3", *LAND), {"statement": "insert into .*acme_"}),
        (("publish", "--force"), {"statement": "mart_draft", "nth": 5}),
    ):
        killed = command(project, *arguments, death=death)
        assert killed.was_killed, f"not killed: {killed.told}"
        succeed(project, *arguments, *IMPATIENTLY)
    return 0


def serving(bases: Bases, folder: Path, *, publications: int = 3) -> int:
    """Ask a server while its tenants are published anew: every answer is of one whole version."""
    project = copied(bases.published, folder / "project")
    made = succeed(project, "keys", "create", "acme", "--json")
    headers = {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}
    question = {"model": "ad_performance", "measures": ["spend"], "dimensions": ["campaign_id"]}
    server = subprocess.Popen(
        [sys.executable, "-m", "martlet", "serve", "--port", "0"],
        cwd=project.folder,
        env=repository_environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stderr
        url = server.stderr.readline().split()[-1]

        def ask() -> tuple[int, str]:
            answered = httpx.post(
                f"{url}/v1/acme/query", json=question, headers=headers, timeout=60
            )
            return answered.status_code, json.dumps(answered.json().get("rows"))

        truth = ask()
        assert truth[0] == 200, truth
        with ThreadPoolExecutor(3) as pool:
            publishing = pool.submit(
                lambda: [command(project, "publish", "--force") for _ in range(publications)]
            )
            answers = set()
            while not publishing.done():
                answers |= {each.result() for each in [pool.submit(ask), pool.submit(ask)]}
                time.sleep(0.05)
        for done in publishing.result():
            assert done.code == 0, done.told
        assert answers <= {truth}, f"answers differ: {answers}"
        assert pointers(project) != pointers(bases.published)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    assert server.returncode == 0, "the server did not end well"
    return 0


def schedules(bases: Bases) -> dict[str, Callable[[Path], int]]:
    """Return the races by name; each returns how many commands were told to wait."""

    def of(*commands: tuple[str, ...], from_news: bool) -> Callable[[Path], int]:
        return lambda folder: race(bases, folder, commands, from_news=from_news)

    def run(slug: str, *more: str) -> tuple[str, ...]:
        return ("run", "--tenant", slug, *more)

    one, other = SOURCES
    return {
        "two runs of one tenant": of(run(one, *PATIENTLY), run(one, *PATIENTLY), from_news=True),
        "two runs of one tenant, one that does not wait": of(
            run(one, *PATIENTLY), run(one, *IMPATIENTLY), from_news=True
        ),
        "runs of two tenants": of(run(one, *PATIENTLY), run(other, *PATIENTLY), from_news=False),
        "a run and a publication": of(
            run(one, *PATIENTLY), ("publish", *PATIENTLY), from_news=True
        ),
        "a run and a publication that does not wait": of(
            run(one, *PATIENTLY), ("publish", *IMPATIENTLY), from_news=True
        ),
        "two landings": lambda folder: two_landings(bases, folder),
        "three onboardings": lambda folder: two_onboardings(bases, folder),
        "dead holders": lambda folder: dead_holders(bases, folder),
        "a server and publications": lambda folder: serving(bases, folder),
    }


def torture(
    bases: Bases, *, deadline: float, tell: Callable[[str], None]
) -> tuple[int, int, list[str]]:
    """Run every race until the time is over; return races, commands told to wait, and findings."""
    done, refused, found = 0, 0, []
    for name, attempt in schedules(bases).items():
        if time.monotonic() > deadline:
            break
        with scratch() as folder:
            try:
                refused += attempt(folder)
            except AssertionError as error:
                found.append(f"{name}: {error}")
                tell(f"FOUND {name}: {error}")
        done += 1
        tell(f"race {done}: {name}")
    return done, refused, found
