"""A folder of versions: names that only grow, one pointer, and what a killed publisher leaves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from martlet.errors import BadInputError, MartletError
from martlet.marts.errors import MartDamagedError, NothingPublishedError, VersionGoneError
from martlet.marts.folders import mart_folder, rollback
from martlet.marts.versions import VersionFolder, is_version
from martlet.settings import Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> VersionFolder:
    path = tmp_path / "acme"
    path.mkdir()
    return VersionFolder(path)


def publish(folder: VersionFolder, digest: str = "", now: datetime = NOON) -> str:
    """Publish a file that has nothing but a digest."""
    version = folder.next_version(now)
    draft = folder.draft_path(version)
    with duckdb.connect(str(draft)) as mart:
        mart.execute("create table mart_info as select ? as content_digest", [digest or version])
    folder.promote(draft, version)
    folder.swap(version)
    return version


def test_a_version_is_named_by_its_moment_in_utc(folder: VersionFolder) -> None:
    assert folder.next_version(NOON) == "v20260301T120000000000"
    assert folder.next_version(datetime.fromisoformat("2026-03-01T13:00+01:00")) == (
        "v20260301T120000000000"
    )


def test_names_grow_even_when_the_clock_steps_back(folder: VersionFolder) -> None:
    versions = [publish(folder, now=NOON - timedelta(days=day)) for day in range(3)]

    assert versions == sorted(set(versions))
    assert folder.versions() == versions
    assert folder.current() == versions[-1]


def test_a_version_that_was_rolled_back_and_pruned_does_not_lend_its_name(
    folder: VersionFolder,
) -> None:
    publish(folder)
    withdrawn = publish(folder)
    rollback(folder)
    folder.path_of(withdrawn).unlink()

    assert folder.next_version(NOON) > withdrawn


def test_nothing_is_current_where_nothing_was_published(tmp_path: Path) -> None:
    folder = VersionFolder(tmp_path / "nobody")

    assert folder.current() is None
    assert folder.versions() == []
    with pytest.raises(NothingPublishedError):
        rollback(folder)
    assert not folder.path.exists()


@pytest.mark.parametrize("text", ["", "../secret\n", "v20260301T120000000000\n\n", "\xff"])
def test_a_pointer_that_is_no_version_is_said_to_be_damaged(
    folder: VersionFolder, text: str
) -> None:
    version = publish(folder)
    (folder.path / "current").write_bytes(text.encode("latin-1"))

    with pytest.raises(MartDamagedError, match="rollback"):
        folder.current()
    assert rollback(folder, version) == version
    assert folder.current() == version


@pytest.mark.parametrize("name", ["", "current", "../v20260301T120000000000", "v2026"])
def test_what_is_no_version_leads_to_no_path(folder: VersionFolder, name: str) -> None:
    assert not is_version(name)
    with pytest.raises(VersionGoneError):
        folder.path_of(name)
    with pytest.raises(VersionGoneError):
        folder.draft_path(name)


def test_what_is_not_on_disk_cannot_become_current(folder: VersionFolder) -> None:
    version = publish(folder)

    with pytest.raises(VersionGoneError):
        folder.swap("v20990101T000000000000")
    assert folder.current() == version


def test_pruning_keeps_the_newest_and_the_current_one(folder: VersionFolder) -> None:
    versions = [publish(folder) for _ in range(5)]
    rollback(folder, versions[0])

    assert folder.prune(2) == versions[1:3]
    assert folder.versions() == [versions[0], *versions[3:]]
    with pytest.raises(BadInputError):
        folder.prune(0)


def test_leftovers_of_a_killed_publisher_go_and_versions_stay(folder: VersionFolder) -> None:
    versions = [publish(folder) for _ in range(3)]
    rollback(folder, versions[1])
    folder.draft_path("v20270101T000000000000").write_text("half")
    (folder.path / ".current.1.new").write_text("half")
    never_current = folder.path_of("v20270101T000000000001")
    never_current.write_text("whole")

    folder.remove_leftovers()

    assert not never_current.exists()
    assert folder.versions() == versions, "one that was rolled back can be gone back to"
    assert {path.name for path in folder.path.iterdir()} == {
        ".lock",
        "current",
        "withdrawn",
        *(f"{version}.duckdb" for version in versions),
    }


def test_a_lost_pointer_costs_no_version(folder: VersionFolder) -> None:
    versions = [publish(folder) for _ in range(2)]
    (folder.path / "current").unlink()

    folder.remove_leftovers()

    assert folder.versions() == versions


def test_rolling_back_withdraws_what_is_left_and_going_forward_takes_it_back(
    folder: VersionFolder,
) -> None:
    first, second, third = (publish(folder) for _ in range(3))

    assert rollback(folder) == second
    assert folder.withdrawn() == {third: third}
    assert rollback(folder, first) == first
    assert folder.withdrawn() == {third: third, second: second}
    assert rollback(folder, third) == third
    assert folder.withdrawn() == {second: second}


def test_a_forced_twin_that_is_rolled_back_stays_and_withdraws_nothing(
    folder: VersionFolder,
) -> None:
    first, twin = publish(folder, "same"), publish(folder, "same")

    rollback(folder)
    folder.remove_leftovers()

    assert folder.withdrawn() == {}
    assert folder.versions() == [first, twin]


def test_a_rollback_that_is_impossible_names_the_versions_that_are(folder: VersionFolder) -> None:
    first = publish(folder)
    with pytest.raises(BadInputError, match="there is no other version"):
        rollback(folder)
    second = publish(folder)

    with pytest.raises(BadInputError, match=f"does not exist; valid: {first}"):
        rollback(folder, "v1")
    with pytest.raises(BadInputError, match=f"is current already; valid: {first}"):
        rollback(folder, second)
    assert folder.current() == second


def test_nobody_rolls_back_to_a_file_that_cannot_be_read(folder: VersionFolder) -> None:
    first, second = publish(folder), publish(folder)
    folder.path_of(first).write_bytes(b"torn")

    with pytest.raises(MartDamagedError):
        rollback(folder)
    assert folder.current() == second
    assert folder.withdrawn() == {}


def test_a_damaged_version_can_be_left(folder: VersionFolder) -> None:
    first, second = publish(folder), publish(folder)
    folder.path_of(second).write_bytes(b"torn")

    assert rollback(folder) == first


def test_one_writes_at_a_time(folder: VersionFolder) -> None:
    with (
        folder.lock(),
        pytest.raises(MartletError, match="another process publishes"),
        folder.lock(0.05),
    ):
        pass
    with folder.lock(0.05):
        pass


@pytest.mark.parametrize("name", ["", "..", "a/b", "Acme", "a__b", "main", "_operators"])
def test_only_a_tenant_has_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError):
        mart_folder(Settings(tmp_path, tmp_path, tmp_path / "tenants.yaml"), name)
