"""Backups are whole or none, a restore brings nobody back, a tenant that leaves leaves nothing."""

import json
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from martlet.access.control import ControlFile
from martlet.access.keys import KeyStore
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.custody.backup import Restored, back_up, restore
from martlet.custody.offboard import Offboarded, offboard
from martlet.engines.swap import JOURNAL, finish_swap
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError
from martlet.settings import Settings
from martlet.suppression.ledger import changed_ledger, moment_now
from tests.project import Project, new_project
from tests.warehouse.here import command
from tests.warehouse.state import Contents, facts, masters, tenant

MAIL = "canary.quill@example.org"


def _order(number: int, mail: str) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-05-01T10:00:00Z",
        "updated_at": "2026-05-01T10:00:00Z",
        "currency": "EUR",
        "total_price": "10.00",
        "test": False,
        "email": mail,
    }


@dataclass
class Story:
    project: Project
    backup: Path
    facts_before: dict[str, Contents]
    masters_before: Contents

    @property
    def settings(self) -> Settings:
        return self.project.settings

    def restored(self, settings: Settings, *, force: bool = False) -> Restored:
        catalogue = load_catalogue(settings.catalogue_file)
        return restore(settings, catalogue, self.backup, force=force)

    def named_in(self, text: str, home: Path | None = None) -> list[str]:
        home = home or self.settings.home
        return [
            str(path.relative_to(home))
            for path in sorted(home.rglob("*"))
            if path.is_file() and text.encode() in path.read_bytes()
        ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Two tenants know the same person; of the home there is a backup from before the erasure."""
    folder = tmp_path_factory.mktemp("custody")
    project = new_project(folder / "project", {})
    shop = tenant({"shopify": {"objects": ["orders"]}})
    project.configure({"acme": shop, "beta": shop})
    for slug in ("acme", "beta"):
        orders = [_order(1, MAIL), _order(2, "else@example.org")]
        project.land_records(slug, "shopify", "orders", orders)
        (project.folder / f"{slug}_shopify_orders.jsonl").unlink()
    command(project, "run")
    with closing(KeyStore(project.settings.control)) as keys:
        keys.create("acme")
        keys.create("beta")
    told = {slug: facts(project, slug) for slug in ("acme", "beta")}
    command(project, "backup", str(folder / "backup"))
    return Story(project, folder / "backup", told, masters(project))


def test_a_restored_home_holds_what_was_backed_up(story: Story, tmp_path: Path) -> None:
    elsewhere = replace(story.project, variables={"MARTLET_HOME": str(tmp_path / "home")})

    report = story.restored(elsewhere.settings)

    assert not report.erased and not report.kept_keys and not report.differing
    assert masters(elsewhere) == story.masters_before
    assert facts(elsewhere, "acme") == story.facts_before["acme"]
    assert command(elsewhere, "audit")
    assert (tmp_path / "home" / "marts" / "acme" / "current").is_file()


def test_a_home_that_holds_data_is_not_overwritten_unless_forced(story: Story) -> None:
    before = story.settings.warehouse.stat().st_ino

    with pytest.raises(BadInputError, match="the home holds"):
        story.restored(story.settings)

    assert story.settings.warehouse.stat().st_ino == before


@pytest.mark.parametrize("damage", ["a byte", "a file", "the manifest"])
def test_a_backup_that_is_not_whole_is_refused(story: Story, tmp_path: Path, damage: str) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(story.backup, broken)
    warehouse = broken / "home" / "warehouse.duckdb"
    if damage == "a byte":
        content = bytearray(warehouse.read_bytes())
        content[len(content) // 2] ^= 1
        warehouse.write_bytes(content)
    elif damage == "a file":
        warehouse.unlink()
    else:
        (broken / "manifest.json").unlink()
    settings = replace(story.settings, home=tmp_path / "home")

    with pytest.raises(BadInputError):
        restore(settings, load_catalogue(settings.catalogue_file), broken)

    assert not settings.warehouse.exists()


def test_a_newer_backup_is_refused(story: Story, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    document = json.loads((story.backup / "manifest.json").read_text())
    (newer / "manifest.json").write_text(json.dumps({**document, "layout": 99}))

    with pytest.raises(BadInputError, match="newer martlet"):
        restore(story.settings, load_catalogue(story.settings.catalogue_file), newer, force=True)


def test_a_swap_that_was_killed_is_finished_by_the_next_command(tmp_path: Path) -> None:
    (tmp_path / "staged" / "marts").mkdir(parents=True)
    (tmp_path / "staged" / "marts" / "new").touch()
    (tmp_path / "staged" / "b").write_text("new")
    (tmp_path / "marts").mkdir()
    (tmp_path / "marts" / "old").touch()
    (tmp_path / "a").write_text("new")  # which was moved before the kill
    (tmp_path / "b").write_text("old")
    (tmp_path / "b").chmod(0o640)
    moves = {"staged/a": "a", "staged/b": "b", "staged/marts": "marts"}
    (tmp_path / JOURNAL).write_text(json.dumps({"moves": moves, "removed": ["staged"]}))

    finish_swap(tmp_path)

    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "new"
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (tmp_path / "marts").iterdir()] == ["new"]
    assert not (tmp_path / "staged").exists() and not (tmp_path / JOURNAL).exists()


def test_a_backup_beside_a_run_can_be_restored_and_audited(story: Story, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "martlet", "run", "--full", "--tenant", "beta", "--json"],
        cwd=story.project.folder,
        stdout=subprocess.DEVNULL,
    ) as running:
        time.sleep(1)
        back_up(story.settings, tmp_path / "beside", wait_seconds=120)
        assert running.poll() is None or running.returncode == 0
        assert running.wait(timeout=300) == 0
    elsewhere = replace(story.project, variables={"MARTLET_HOME": str(tmp_path / "home")})

    restore(
        elsewhere.settings, load_catalogue(elsewhere.settings.catalogue_file), tmp_path / "beside"
    )

    assert command(elsewhere, "audit")


def test_a_backup_from_before_brings_no_erased_person_back(story: Story) -> None:
    with changed_ledger(story.settings) as held:
        held[0] = held[0].with_subjects("acme", [MAIL], moment_now())

    report = story.restored(story.settings, force=True)

    assert report.erased == {"acme": 2}
    assert report.kept_keys
    story.project.land_records("beta", "shopify", "orders", [_order(2, "else@example.org")])
    (story.project.folder / "beta_shopify_orders.jsonl").unlink()
    assert facts(story.project, "beta") == story.facts_before["beta"]
    assert story.project.value("select count(*) from analytics.fct_acme__orders") == 1
    assert command(story.project, "audit")
    marts = story.settings.marts_dir
    assert not story.named_in(MAIL, marts / "acme")
    assert story.named_in(MAIL, marts / "beta")


@pytest.fixture(scope="module")
def left(story: Story) -> Offboarded:
    """The tenant acme exports its data and leaves."""
    catalogue = load_catalogue(story.settings.catalogue_file)
    tenants = load_tenants(story.settings.tenants_file, catalogue)
    with pytest.raises(BadInputError, match="is active"):
        offboard(story.settings, tenants, "acme", confirmed=True)
    shop = tenant({"shopify": {"objects": ["orders"]}})
    story.project.configure({"acme": {**shop, "status": "disabled"}, "beta": shop})
    tenants = load_tenants(story.settings.tenants_file, catalogue)
    plan = offboard(story.settings, tenants, "acme")
    assert plan.rows and not plan.is_done
    export = str(story.backup.parent / "export")
    done = command(story.project, "offboard", "acme", "--export", export, "--yes")
    return Offboarded(**done)


def test_an_export_holds_every_relation_with_its_digest(story: Story, left: Offboarded) -> None:
    export = story.backup.parent / "export"
    manifest = json.loads((export / "manifest.json").read_text())

    assert left.exported == left.rows
    assert {name.removesuffix(".parquet") for name in manifest["files"]} == left.rows.keys()
    orders = pq.read_table(export / "landing.acme.acme_shopify__orders.parquet")
    assert orders.num_rows == 1


def test_a_tenant_that_has_left_is_named_in_no_database_and_others_stay(
    story: Story, left: Offboarded
) -> None:
    named = story.named_in("acme")

    assert [name for name in named if not name.startswith("locks")] == []
    assert facts(story.project, "beta") == story.facts_before["beta"]
    with closing(ControlFile(story.settings.control)) as control:
        assert control.rows("select tenant from keys") == [("beta",)]
    assert left.keys == 1
    assert any("tenants.acme" in what for what in left.remains)


def test_the_others_audit_is_as_green_as_before(story: Story, left: Offboarded) -> None:
    assert command(story.project, "audit")


def test_an_older_warehouse_is_migrated_once(story: Story, left: Offboarded) -> None:
    master = "platform.platform_mm__shopify_api_v1_orders"
    prefixes = f"select tenant_skey, key_prefix from {master} order by all"
    with engine_of(story.settings).open_warehouse() as warehouse:
        before = warehouse.execute(prefixes).fetchall()
        warehouse.execute(f"alter table {master} drop column key_prefix")
        warehouse.execute("drop table ops.warehouse_layout")

    done = command(story.project, "migrate")

    assert (done["before"], done["after"], len(done["masters"])) == (1, 2, 1)
    assert command(story.project, "migrate")["masters"] == []
    with engine_of(story.settings).open_warehouse(read_only=True) as warehouse:
        assert warehouse.execute(prefixes).fetchall() == before


def test_a_newer_warehouse_is_refused_and_left_as_it_is(story: Story, left: Offboarded) -> None:
    with engine_of(story.settings).open_warehouse() as warehouse:
        warehouse.execute("insert into ops.warehouse_layout values (99, 'later', null)")
    before = story.settings.warehouse.read_bytes()

    for name in ("run", "audit", "status", "migrate"):
        with pytest.raises(BadInputError, match="newer martlet"):
            command(story.project, name)
    assert story.settings.warehouse.read_bytes() == before
