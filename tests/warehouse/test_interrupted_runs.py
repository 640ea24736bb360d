"""A run that is killed at the worst moments: the next one completes it, nothing lost or doubled."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, new_project
from tests.warehouse.state import Contents, accounted, facts, ledger, tenant
from tests.warehouse.test_promises import LAND, SOURCES

# Runs `martlet run` and kills it before the statement, or at the event, that is the nth to match.
KILLED = """
import os, re, signal, sys
import dbt.cli.main as dbt
from martlet.cli import main

pattern, left = re.compile(sys.argv.pop(1), re.DOTALL), int(sys.argv.pop(1))

def kill(event):
    global left
    statement = getattr(event.data, "sql", "")
    if pattern.search(f"{event.info.name} {statement}"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

class Runner(dbt.dbtRunner):
    def __init__(self, *arguments, callbacks=(), **options):
        super().__init__(*arguments, callbacks=[*callbacks, kill], **options)

dbt.dbtRunner = Runner
main()
"""
PUSH = r"SQLQuery .*insert into \S+platform_mm__"
LEDGER = r"SQLQuery .*insert into \S+platform_ops__push_ledger"
MOMENTS = {
    "before a master has its table": (r"SQLQuery .*create table if not exists", 5),
    "before the first row is pushed": (PUSH, 1),
    "between the rows of a load and its line in the ledger": (LEDGER, 1),
    "between the rows of a later load and its line in the ledger": (LEDGER, 3),
    "before a commit": (r"SQLCommit", 60),
    "after some pushes, before a fact": (r"SQLQuery .*create\s+table\s+\S+fct_acme__orders", 1),
}


@dataclass(frozen=True)
class Story:
    """A project that ran through, and one that was killed at every moment before it ran through."""

    whole: Project
    killed: Project
    codes: dict[str, int]
    balances: dict[str, dict[str, int]]
    last: Any


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("interrupted")
    killed = new_project(folder / "killed")
    killed.configure({"acme": tenant(SOURCES)})
    killed.martlet(*LAND)
    shutil.copytree(killed.folder, folder / "whole", symlinks=True)
    whole = Project(folder / "whole")
    whole.run()
    codes, balances = {}, {}
    for moment, (pattern, count) in MOMENTS.items():
        codes[moment] = _run_killed(killed, pattern, count)
        balances[moment] = _balance(killed)
    return Story(whole, killed, codes, balances, killed.run())


def _run_killed(project: Project, pattern: str, count: int) -> int:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    return subprocess.run(
        [sys.executable, "-c", KILLED, pattern, str(count), "run", "--json"],
        cwd=project.folder,
        env=environ,
        capture_output=True,
        check=False,
    ).returncode


def _balance(project: Project) -> dict[str, int]:
    """Return what the ledger says was pushed, and what the masters hold; both 0 without tables."""
    names = project.query(
        "select schema_name || '.' || table_name as name from duckdb_tables() "
        "where database_name = 'warehouse' and (starts_with(table_name, 'platform_mm__') "
        "or table_name = 'platform_ops__push_ledger')"
    )
    masters = [row["name"] for row in names if "platform_mm__" in row["name"]]
    has_ledger = len(masters) < len(names)
    return {
        "pushed": ledger(project, "acme")["pushed"] if has_ledger else 0,
        "stored": sum(project.value(f"select count(*) from {name}") for name in masters),
    }


def _versions(project: Project) -> Contents:
    """Return the masters' contents but for `loaded_at`, which says when a run was."""
    names = project.query(
        "select table_name from duckdb_tables() where database_name = 'warehouse' "
        "and starts_with(table_name, 'platform_mm__')"
    )
    contents: Contents = {}
    for name in (row["table_name"] for row in names):
        (row,) = project.query(
            f"select count(*) as rows, coalesce(sum(hash(t)), 0) as digest "
            f"from (select * exclude (loaded_at) from platform.{name}) as t"
        )
        contents[name] = (row["rows"], row["digest"])
    return contents


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_run_was_killed_and_left_ledger_and_masters_in_agreement(
    story: Story, moment: str
) -> None:
    balance = story.balances[moment]

    assert story.codes[moment] == -9
    assert balance["pushed"] == balance["stored"]


def test_the_kills_struck_before_amid_and_after_the_pushes(story: Story) -> None:
    pushed = [story.balances[moment]["pushed"] for moment in MOMENTS]

    assert pushed[0] == pushed[1] == pushed[2] == 0
    assert 0 < pushed[3] < pushed[-1]
    assert pushed == sorted(pushed)


def test_the_next_run_ends_with_the_masters_and_facts_of_a_run_that_was_not_killed(
    story: Story,
) -> None:
    assert _versions(story.killed) == _versions(story.whole)
    assert facts(story.killed, "acme") == facts(story.whole, "acme")
    assert len(facts(story.killed, "acme")) == 4


def test_the_ledger_of_the_killed_runs_is_that_of_the_whole_one(story: Story) -> None:
    sums = ledger(story.killed, "acme")

    assert sums == ledger(story.whole, "acme")
    assert sums["landed"] == accounted(sums)


def test_a_further_run_finds_nothing_to_do(story: Story) -> None:
    before = _versions(story.killed)

    report = story.killed.run()

    assert [table["pushed"] for table in report["tables"]] == [0] * len(report["tables"])
    assert _versions(story.killed) == before
    assert not list(Path(story.killed.folder).rglob("*.new"))
