"""A landing that is killed loses nothing and doubles nothing, whatever is landed next."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from martlet.engines.targets import engine_of
from martlet.landing.command import land_file
from martlet.landing.pipeline import LandingReport
from martlet.settings import Settings
from tests.project import REPOSITORY, settings_at

TENANTS = """\
version: 1
tenants:
  acme:
    name: Acme
    reporting_timezone: UTC
    currency: EUR
    sources: {shopify: {}}
"""

# Kills its own process where dlt enters the step; for `committed`, between the commit of the rows
# and dlt's note that the file is loaded; for `completed`, between the load's own row and that note;
# for `normalized`, between the rename of a package and the deletion of what it was made of.
KILLED = """
import os, signal, sys, time
from pathlib import Path

from dlt.common.storages.load_package import PackageStorage
from dlt.common.storages.load_storage import LoadStorage
from dlt.pipeline.pipeline import Pipeline

from martlet.landing.command import land_file
from tests.project import settings_at

project, home, tenants, file, step = sys.argv[1:]


def die(*_, **__):
    time.sleep(1 if step == "committed" else 0)  # the package's other tables commit meanwhile
    os.kill(os.getpid(), signal.SIGKILL)


if step == "committed":
    PackageStorage.save_pending_transition = die
elif step == "completed":
    LoadStorage.complete_load_package = die
elif step == "normalized":
    commit = LoadStorage.commit_new_load_package

    def commit_and_die(*arguments):
        commit(*arguments)
        die()

    LoadStorage.commit_new_load_package = commit_and_die
else:
    setattr(Pipeline, step, die)
settings = settings_at(Path(project), Path(home), Path(tenants))
land_file(settings, "acme", "shopify", "orders", Path(file))
"""


@dataclass(frozen=True)
class Place:
    """A home of its own, and landings in it."""

    settings: Settings

    def file(self, *lines: str) -> Path:
        path = self.settings.tenants_file.with_name("orders.jsonl")
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def land(self, *lines: str) -> LandingReport:
        return land_file(self.settings, "acme", "shopify", "orders", self.file(*lines))

    def land_and_be_killed(self, step: str, *lines: str) -> None:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                KILLED,
                str(self.settings.project_dir),
                str(self.settings.home),
                str(self.settings.tenants_file),
                str(self.file(*lines)),
                step,
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == -9, done.stderr

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with engine_of(self.settings).open_landing(read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def ids(self) -> list[int]:
        return [i for (i,) in self.query("select id from acme.acme_shopify__orders order by id")]

    def loads(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select rows_received, rows_accepted, rows_quarantined, l.status "
            "from acme._martlet_loads as m join acme._dlt_loads as l on l.load_id = m._dlt_load_id "
            "order by m._dlt_load_id"
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    tenants = tmp_path / "tenants.yaml"
    tenants.write_text(TENANTS)
    return Place(settings_at(REPOSITORY, tmp_path / "data", tenants))


@pytest.mark.parametrize("step", ["normalize", "normalized", "load", "committed", "completed"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first_landing", "later_landing"])
def test_a_killed_landing_is_completed_before_the_new_data_and_both_are_there_once(
    place: Place, step: str, is_first: bool
) -> None:
    if not is_first:
        place.land('{"id": 1}')

    place.land_and_be_killed(step, '{"id": 2}', '{"id": "bad"}')
    report = place.land('{"id": 3}')

    assert len(report.recovered) == 1
    assert report.recovered[0].load_id < report.tables[0].load_id
    assert place.ids() == ([2, 3] if is_first else [1, 2, 3])
    assert place.loads() == [(1, 1, 0, 0)] * (not is_first) + [(2, 1, 1, 0), (1, 1, 0, 0)]
    assert place.query("select load_row, raw_record from acme._martlet_quarantine_rows") == [
        (1, '{"id": "bad"}')
    ]


def test_a_landing_killed_before_anything_was_extracted_leaves_nothing(place: Place) -> None:
    place.land_and_be_killed("extract", '{"id": 1}')

    report = place.land('{"id": 2}')

    assert report.recovered == ()
    assert place.ids() == [2]


def test_a_recovery_that_is_killed_too_does_not_double_what_it_recovers(place: Place) -> None:
    place.land_and_be_killed("committed", '{"id": 1}')
    place.land_and_be_killed("committed", '{"id": 2}')

    report = place.land('{"id": 3}')

    # The second landing died while it completed the first: its own data was never taken over.
    assert len(report.recovered) == 1
    assert place.ids() == [1, 3]
    assert place.loads() == [(1, 1, 0, 0)] * 2
