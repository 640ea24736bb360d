"""Loads land in the lake, each whole and each once, whichever machine lands them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from martlet.engines import ducklake
from martlet.landing.command import land_file
from tests.conftest import Variables
from tests.project import Project, new_project
from tests.warehouse.state import tenant

TENANT = {"ada": tenant({"shopify": {}})}


def order(number: int, **more: Any) -> dict[str, Any]:
    made = {"id": number, "created_at": "2026-06-01T10:00:00Z", "currency": "USD"}
    return {**made, "total_price": "10.00", **more}


@pytest.fixture
def variables(new_lake: Callable[[], Variables]) -> Variables:
    return new_lake()


@pytest.fixture
def project(tmp_path: Path, variables: Variables) -> Project:
    return machine(tmp_path / "one", variables)


def machine(folder: Path, variables: Variables) -> Project:
    """Return a project with a home of its own on the same lake."""
    project = new_project(folder, variables)
    project.configure(TENANT)
    return project


def landed(project: Project) -> dict[str, int]:
    rows = project.query(
        "select _dlt_load_id, count(*) as rows from landing.ada.ada_shopify__orders group by 1"
    )
    return {row["_dlt_load_id"]: row["rows"] for row in rows}


def land(project: Project, *numbers: int, **more: Any) -> None:
    project.land_records("ada", "shopify", "orders", [order(n, **more) for n in numbers])


def test_a_load_is_in_the_lake_and_no_longer_in_the_file(project: Project) -> None:
    project.martlet("init-library")
    land(project, 1, 2)

    assert [*landed(project).values()] == [2]
    engine = ducklake.DuckLakeEngine(project.settings)
    with engine.open_loading(read_only=True) as loading:
        assert loading.execute("select count(*) from ada.ada_shopify__orders").fetchall() == [(0,)]


def test_a_column_that_comes_later_is_added(project: Project) -> None:
    project.martlet("init-library")
    land(project, 1)
    land(project, 2, never_seen_before="x")

    rows = project.query("select id, never_seen_before from landing.ada.ada_shopify__orders")

    assert sorted(str(row["never_seen_before"]) for row in rows) == ['"x"', "None"]


def test_a_delivery_without_a_row_makes_its_table(project: Project) -> None:
    project.martlet("init-library")
    nothing = project.folder / "none.json"
    nothing.write_text("[]")

    land_file(project.settings, "ada", "shopify", "orders", nothing)

    assert landed(project) == {}
    assert project.value("select rows_accepted from landing.ada._martlet_loads") == 0
    land(project, 1)
    assert [*landed(project).values()] == [1]


def test_two_machines_land_the_same_table(
    project: Project, tmp_path: Path, variables: Variables
) -> None:
    other = machine(tmp_path / "two", variables)
    project.martlet("init-library")
    land(project, 1, 2)
    land(other, 3)
    land(project, 4)

    assert sorted(landed(project).values()) == [1, 1, 2]
    assert landed(project) == landed(other)


def test_what_was_loaded_and_not_handed_over_is_by_the_next_landing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.martlet("init-library")
    calls: list[int] = []

    def killed(*_: Any) -> None:
        calls.append(1)
        if len(calls) > 1:  # the first is for what an earlier landing left
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ducklake, "hand_over", killed)
        with pytest.raises(KeyboardInterrupt):
            land(project, 1, 2)
    land(project, 3)
    land(project, 4)

    assert sorted(landed(project).values()) == [1, 1, 2]


def test_a_hand_over_that_fails_leaves_nothing_of_its_load(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from martlet.engines import hand_over as module

    project.martlet("init-library")
    land(project, 1)
    copied: list[str] = []
    copy = module._copy

    def failing(connection: Any, schema: str, table: str, *more: Any) -> None:
        copied.append(table)
        if len(copied) > 2:
            raise KeyboardInterrupt
        copy(connection, schema, table, *more)

    with monkeypatch.context() as patched:
        patched.setattr(module, "_copy", failing)
        with pytest.raises(KeyboardInterrupt):
            land(project, 2)
    assert sorted(landed(project).values()) == [1]

    land(project, 3)
    assert sorted(landed(project).values()) == [1, 1, 1]
