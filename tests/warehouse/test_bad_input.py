"""What cannot be used is refused with a sentence that helps, and nothing is written."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from martlet.errors import MartletError
from martlet.pipeline.dbt_run import run_dbt
from tests.project import Project, Result, new_project
from tests.warehouse.state import facts, files, generated, ledger, masters, tenant

SOURCES = {
    "woocommerce": {"objects": ["orders"]},
    "tiktok_ads": {"objects": ["campaigns"]},
    "amplitude": {"objects": ["events"]},
}
TENANTS = {
    "acme": tenant(SOURCES),
    "globex": tenant({"woocommerce": {"objects": ["orders"]}}),
    "dormant": tenant(SOURCES, status="disabled"),
}
FILES = pytest.mark.files_only("a database is one file, which is lost, spoiled or held as a whole")
ORDERS = ("--platform", "woocommerce", "--object", "orders")


def _order(order_id: int, total: str = "5.00") -> dict[str, Any]:
    return {
        "id": order_id,
        "status": "completed",
        "currency": "EUR",
        "date_created_gmt": "2026-05-01T10:00:00",
        "total": total,
    }


@dataclass(frozen=True)
class FirstRun:
    """A run over a source that landed good and bad rows, one that landed none, one that never did.

    The bad row is globex'; tests copy the project before they spoil it.
    """

    project: Project
    result: Result

    def table(self, slug: str, object_: str) -> dict[str, Any]:
        tables = self.result.document["tables"]
        return next(t for t in tables if (t["tenant"], t["object"]) == (slug, object_))


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    project = new_project(tmp_path_factory.mktemp("bad_input") / "project")
    project.configure(TENANTS)
    project.land_records("acme", "woocommerce", "orders", [_order(1), _order(2)])
    (project.folder / "none.json").write_text("[]")
    project.martlet(
        "land", "acme", "--platform", "tiktok_ads", "--object", "campaigns", "--file", "none.json"
    )
    (project.folder / "nan.jsonl").write_text('{"id": 1, "total": NaN}\n{"id": 2, "total": "1"}\n')
    project.martlet("land", "globex", *ORDERS, "--file", "nan.jsonl")
    return FirstRun(project, project.martlet("run", "--json"))


@pytest.fixture(scope="module")
def built(first_run: FirstRun) -> Project:
    return first_run.project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the project that has run."""
    shutil.copytree(built.folder, tmp_path / "project", symlinks=True)
    return replace(built, folder=tmp_path / "project")


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "land for an unknown tenant": (("land", "acne"), "unknown tenant 'acne'; did you mean 'acme'?"),
    "run an unknown tenant": (
        ("run", "--tenant", "globax"),
        "unknown tenant 'globax'; did you mean 'globex'?",
    ),
    "onboard an unknown tenant": (("onboard", "nobody"), "unknown tenant 'nobody'; valid: "),
    "land for a disabled tenant": (("land", "dormant"), "tenant 'dormant' is disabled"),
    "run a disabled tenant": (("run", "--tenant", "dormant"), "tenant 'dormant' is disabled"),
    "land a platform that is no source": (
        ("land", "globex", "--platform", "tiktok_ads"),
        "'tiktok_ads' is no enabled source of globex; valid: woocommerce",
    ),
    "land an unknown platform": (
        ("land", "acme", "--platform", "tictoc_ads"),
        "unknown connector 'tictoc_ads'; did you mean 'tiktok_ads'?",
    ),
    "land an unknown object": (
        ("land", "acme", "--object", "order"),
        "no source of acme has an object 'order'; did you mean 'orders'?",
    ),
    "land a file that is not there": (
        ("land", "acme", *ORDERS, "--file", "missing.jsonl"),
        "missing.jsonl: the file cannot be read: No such file or directory",
    ),
    "land an empty file": (
        ("land", "acme", *ORDERS, "--file", "empty.jsonl"),
        "empty.jsonl: the file is empty",
    ),
    "land a file of something else": (
        ("land", "acme", *ORDERS, "--file", "other.jsonl"),
        "no field of orders is in the file, which has lorem",
    ),
    "land a file without saying what it is": (
        ("land", "acme", "--file", "other.jsonl"),
        "--file needs --platform exactly once",
    ),
    "land a file through an unknown connection": (
        ("land", "acme", *ORDERS, "--file", "other.jsonl", "--connection", "outlet"),
        "acme has no connection 'outlet' of woocommerce; valid: main",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_arguments_are_refused_and_nothing_is_written(built: Project, case: str) -> None:
    arguments, message = REFUSED[case]
    (built.folder / "empty.jsonl").write_text("")
    (built.folder / "other.jsonl").write_text('{"lorem": 1}\n')
    before = files(built.folder)

    refused = built.martlet(*arguments, "--json", check=False)

    assert refused.code == 2
    assert message in refused.stderr
    assert "remedy: " in refused.stderr
    assert refused.stdout == ""
    assert files(built.folder) == before


@FILES
@pytest.mark.parametrize("damage", ["garbage", "emptied", "overwritten"])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("landing", ("run",)),
        ("landing", ("land", "acme", "--days", "1")),
        ("warehouse", ("run",)),
        ("warehouse", ("init-library",)),
    ],
)
def test_a_corrupt_database_is_named_and_left_as_it_is(
    project: Project, name: str, command: tuple[str, ...], damage: str
) -> None:
    database = project.folder / "data" / f"{name}.duckdb"
    whole = database.read_bytes()
    header = 4096 * 3
    database.write_bytes(
        {
            "garbage": b"this is no database " * 500,
            "emptied": b"",
            "overwritten": whole[:header] + bytes(len(whole) - header),
        }[damage]
    )
    before = _databases(project), generated(project)

    refused = project.martlet(*command, "--json", check=False)

    assert refused.code == 2
    assert f"{name}.duckdb: cannot be opened as a database" in refused.stderr
    assert "remedy: restore the file from a backup, or move it away" in refused.stderr
    assert refused.stdout == ""
    assert (_databases(project), generated(project)) == before


@FILES
def test_where_one_database_is_corrupt_the_other_is_not_created(project: Project) -> None:
    project.warehouse.unlink()
    project.landing.write_bytes(b"this is no database")

    refused = project.martlet("run", check=False)

    assert refused.code == 2
    assert list(_databases(project)) == ["landing.duckdb"]


@FILES
def test_a_missing_warehouse_is_built_anew_from_what_has_landed(project: Project) -> None:
    before = facts(project, "acme")
    project.warehouse.unlink()

    report = project.run("--tenant", "acme")

    assert sum(table["pushed"] for table in report["tables"]) == 2
    assert facts(project, "acme") == before


@FILES
def test_a_missing_landing_is_told_and_the_facts_stay(project: Project) -> None:
    before = masters(project), facts(project, "acme")
    project.landing.unlink()

    report = project.run("--tenant", "acme")

    told = {f["subject"]: f["kind"] for f in report["findings"]}
    assert told["acme_woocommerce__orders"] == "not_landed"
    assert (masters(project), facts(project, "acme")) == before


def test_a_source_that_never_landed_is_told_and_leaves_typed_empty_facts(
    first_run: FirstRun,
) -> None:
    stderr = first_run.result.stderr

    assert "amplitude events is enabled but acme.acme_amplitude__events has never landed" in stderr
    assert "remedy: martlet land acme --platform amplitude" in stderr
    assert first_run.result.code == 0
    counts = {name: rows for name, (rows, _) in facts(first_run.project, "acme").items()}
    assert counts == {
        "fct_acme__ad_performance": 0,
        "fct_acme__orders": 2,
        "fct_acme__sessions": 0,
        "dim_acme__campaigns": 0,
    }


def test_an_empty_table_is_routed_and_no_cause_for_a_finding(first_run: FirstRun) -> None:
    campaigns = first_run.table("acme", "campaigns")

    assert (campaigns["status"], campaigns["landed"], campaigns["pushed"]) == ("exact", 0, 0)
    assert "acme_tiktok_ads__campaigns" not in first_run.result.stderr


NOT_A_NUMBER = {
    "a bare NaN": ("nan.jsonl", '{"id": 8, "total": NaN}\n{"id": 9, "total": "7.50"}\n'),
    "a text": ("nan.jsonl", '{"id": 8, "total": "NaN"}\n{"id": 9, "total": "7.50"}\n'),
    "an infinity": ("nan.jsonl", '{"id": 8, "total": "-Infinity"}\n{"id": 9, "total": "7.50"}\n'),
    "a cell": ("nan.csv", "id,total\n8,nan\n9,7.50\n"),
}


@pytest.mark.parametrize("case", NOT_A_NUMBER)
def test_a_row_with_nan_for_money_is_quarantined_with_its_reason_and_the_others_land(
    built: Project, tmp_path: Path, case: str
) -> None:
    project = new_project(tmp_path / "project")
    project.configure(TENANTS)
    name, text = NOT_A_NUMBER[case]
    (project.folder / name).write_text(text)

    landed = project.martlet("land", "acme", *ORDERS, "--file", name, "--json")

    (table,) = landed.document["tables"]
    assert (table["received"], table["accepted"], table["quarantined"]) == (2, 1, 1)
    assert table["reasons"] == {"total: NaN is no number": 1}
    assert "acme_woocommerce__orders: 1 bad rows are kept in quarantine: total: NaN" in (
        landed.stderr
    )


def test_a_run_tells_of_quarantined_rows_and_accounts_for_them(first_run: FirstRun) -> None:
    project, orders = first_run.project, first_run.table("globex", "orders")

    assert (orders["landed"], orders["pushed"], orders["quarantined"]) == (2, 1, 1)
    assert "are in quarantine: total: NaN is no number" in first_run.result.stderr
    (row,) = project.query("select error, raw_record from ops.platform_ops__quarantine_rows")
    assert row == {"error": "NaN is no number", "raw_record": '{"id": 1, "total": NaN}'}
    assert project.value("select count(*) from analytics.fct_globex__orders") == 1


def test_one_broken_tenant_is_not_touched_and_the_others_run(project: Project) -> None:
    project.land_records("globex", "woocommerce", "orders", [_order(3)])
    project.land_records("acme", "woocommerce", "orders", [_order(3)])
    before = facts(project, "globex"), ledger(project, "globex"), _files_of(project, "globex")
    project.configure({**TENANTS, "globex": tenant({"woocomerce": {}})})

    result = project.martlet("run", "--json", check=False)

    assert result.code == 1
    assert "tenants.globex.sources.woocomerce: unknown connector; did you mean 'woocommerce'?" in (
        result.stderr
    )
    assert {table["tenant"] for table in result.document["tables"]} == {"acme"}
    assert project.value("select count(*) from analytics.fct_acme__orders") == 3
    assert (
        facts(project, "globex"), ledger(project, "globex"), _files_of(project, "globex"),
    ) == before  # fmt: skip


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("check",), 2),
        (("run", "--tenant", "globex"), 2),
        (("land", "globex", "--days", "1"), 2),
        (("onboard",), 2),
        (("onboard", "globex"), 2),
        (("onboard", "acme"), 0),
    ],
)
def test_a_broken_tenant_is_an_error_only_of_what_concerns_it(
    built: Project, command: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    broken = tmp_path / "tenants.yaml"
    project = Project(built.folder)
    text = (built.folder / "tenants.yaml").read_text()
    broken.write_text(text)
    before = files(built.folder / "data"), generated(built)
    try:
        project.configure({**TENANTS, "globex": tenant({"woocomerce": {}})})
        result = project.martlet(*command, check=False)
    finally:
        (built.folder / "tenants.yaml").write_text(text)

    assert result.code == code
    assert ("unknown connector; did you mean 'woocommerce'?" in result.stderr) == (code == 2)
    assert (files(built.folder / "data"), generated(built)) == before


@contextmanager
def _held(database: Path) -> Iterator[int]:
    """Let another process hold a database; gives its id."""
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); "
            "time.sleep(600)",
            str(database),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"1\n"
        yield holder.pid
    finally:
        holder.kill()
        holder.wait()


@FILES
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("warehouse", ("run",)),
        ("warehouse", ("init-library",)),
        ("landing", ("run",)),
        ("landing", ("land", "acme", "--days", "1")),
    ],
)
def test_a_database_that_another_process_holds_is_named_with_its_holder(
    built: Project, name: str, command: tuple[str, ...]
) -> None:
    database = built.folder / "data" / f"{name}.duckdb"
    database.touch()  # as a landing does: a run does not open what is as it was
    before = _databases(built), generated(built)

    with _held(database) as holder:
        began = time.monotonic()
        result = built.martlet(*command, "--wait", "0", "--json", check=False)
        waited = time.monotonic() - began

    assert result.code == 1
    assert f"{name}.duckdb: another process holds the database: PID {holder}" in result.stderr
    assert "give a longer --wait" in result.stderr
    assert result.stdout == ""
    assert waited < 30
    assert (_databases(built), generated(built)) == before


@FILES
def test_a_command_that_waits_goes_on_when_the_holder_lets_go(built: Project) -> None:
    with _held(built.warehouse):
        waiting = subprocess.Popen(
            [sys.executable, "-m", "martlet", "init-library", "--wait", "60", "--json"],
            cwd=built.folder,
            stdout=subprocess.PIPE,
        )
        time.sleep(2)
        assert waiting.poll() is None, "it did not wait"
    output, _ = waiting.communicate(timeout=60)

    assert waiting.returncode == 0
    assert json.loads(output)["added"] == 0


def test_dbt_names_the_holder_of_a_database_that_it_found_free_a_moment_before(
    built: Project,
) -> None:
    with (
        _held(built.warehouse) as holder,
        pytest.raises(MartletError, match=f"another process holds the database: PID {holder}"),
    ):
        run_dbt(built.settings, "acme", wait_seconds=0)


def _databases(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.folder / "data").glob("*.duckdb")}


def _files_of(project: Project, slug: str) -> dict[str, tuple[bytes, int]]:
    return {name: state for name, state in generated(project).items() if f"/{slug}/" in name}
