"""The generated files follow tenants.yaml, and never cost anybody a line of their own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.project import REPOSITORY, Project, Result, new_project
from tests.warehouse.state import files, generated, tenant

STAGING = "models/staging/acme/shopify/stg_acme__shopify_orders.sql"
BOTH = {"shopify": {}, "mixpanel": {}}
MIXPANEL = [
    "models/intermediate/acme/mixpanel/int_acme__mixpanel_events.sql",
    "models/intermediate/acme/mixpanel/int_acme__mixpanel_people.sql",
    "models/sources/acme/mixpanel/_sources.yml",
    "models/staging/acme/mixpanel/stg_acme__mixpanel_events.sql",
    "models/staging/acme/mixpanel/stg_acme__mixpanel_people.sql",
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = new_project(tmp_path / "project")
    project.configure({"acme": tenant(BOTH)})
    project.martlet("onboard")
    return project


def _changes(result: Result, slug: str = "acme") -> Any:
    return result.document["files"][slug]


def test_a_removed_source_loses_its_generated_files_and_its_folders(project: Project) -> None:
    before = generated(project)
    project.configure({"acme": tenant({"shopify": {}})})

    result = project.martlet("onboard", "--json")

    assert sorted(_changes(result)["removed"]) == MIXPANEL
    assert sorted(set(before) - set(generated(project))) == MIXPANEL
    assert not list((project.folder / "models").rglob("mixpanel"))


def test_a_disabled_source_loses_its_generated_files(project: Project) -> None:
    project.configure({"acme": tenant({"shopify": {}, "mixpanel": {"enabled": False}})})

    project.martlet("onboard", "acme")

    assert not set(MIXPANEL) & set(generated(project))


def test_a_disabled_tenant_and_a_removed_one_lose_their_generated_files(project: Project) -> None:
    project.configure({"acme": tenant(BOTH), "globex": tenant({"shopify": {}})})
    project.martlet("onboard")
    assert any("globex" in name for name in generated(project))

    project.configure({"acme": tenant(BOTH, status="disabled")})
    result = project.martlet("onboard", "--json")

    assert generated(project) == {}
    assert _changes(result)["removed"]
    assert _changes(result, "globex")["removed"]


def test_onboarding_one_tenant_leaves_the_others_alone(project: Project) -> None:
    before = generated(project)
    project.configure({"globex": tenant({"shopify": {}})})

    project.martlet("onboard", "globex")

    after = generated(project)
    assert {name: after[name] for name in before} == before


def test_a_hand_edited_file_is_kept_and_reported_until_forced(project: Project) -> None:
    edited = project.folder / STAGING
    original = edited.read_text()
    edited.write_text(original + "-- a line of mine\n")

    kept = project.martlet("onboard", check=False)

    assert kept.code == 1
    assert "edited by hand" in kept.stdout
    assert STAGING in kept.stdout
    assert "--force" in kept.stdout
    assert edited.read_text() == original + "-- a line of mine\n"

    project.martlet("onboard", "--force")

    assert edited.read_text() == original


def test_a_hand_edited_file_of_a_removed_source_is_kept_and_reported(project: Project) -> None:
    edited = project.folder / MIXPANEL[0]
    text = edited.read_text() + "-- a line of mine\n"
    edited.write_text(text)
    project.configure({"acme": tenant({"shopify": {}})})

    result = project.martlet("onboard", "--json", check=False)

    assert result.code == 1
    assert _changes(result)["kept_edited"] == [MIXPANEL[0]]
    assert edited.read_text() == text
    assert sorted(set(MIXPANEL) & set(generated(project))) == [MIXPANEL[0]]


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_file_without_our_mark_is_never_touched(project: Project, force: tuple[str, ...]) -> None:
    in_the_way = project.folder / STAGING
    in_the_way.write_text("select 1 as mine\n")
    beside = in_the_way.with_name("my_own_model.sql")
    beside.write_text("select 2 as mine\n")
    project.configure({"acme": tenant({"shopify": {}}, reporting_timezone="Asia/Tokyo")})

    result = project.martlet("onboard", "--json", *force, check=False)

    assert result.code == 1
    assert _changes(result)["unmarked"] == [STAGING]
    assert in_the_way.read_text() == "select 1 as mine\n"
    assert beside.read_text() == "select 2 as mine\n"


def test_a_file_of_ones_own_outlives_the_removal_of_its_source(project: Project) -> None:
    own = project.folder / "models/staging/acme/mixpanel/my_own_model.sql"
    own.write_text("select 1 as mine\n")
    project.configure({"acme": tenant({"shopify": {}})})

    project.martlet("onboard")

    assert own.read_text() == "select 1 as mine\n"
    assert not set(MIXPANEL) & set(generated(project))


@pytest.mark.parametrize(("option", "code"), [("--check", 1), ("--dry-run", 0)])
def test_neither_check_nor_dry_run_writes_anything(
    project: Project, option: str, code: int
) -> None:
    project.configure({"acme": tenant({"shopify": {}}), "globex": tenant({"woocommerce": {}})})
    before = files(project.folder), generated(project)

    result = project.martlet("onboard", option, "--json", check=False)

    assert result.code == code
    assert sorted(_changes(result)["removed"]) == MIXPANEL
    assert _changes(result, "globex")["written"]
    assert (files(project.folder), generated(project)) == before


def test_check_is_content_with_a_tree_that_is_as_generated(project: Project) -> None:
    before = files(project.folder)

    result = project.martlet("onboard", "--check")

    assert result.code == 0
    assert files(project.folder) == before


def test_the_script_does_what_the_command_does(project: Project) -> None:
    project.configure({"acme": tenant({"shopify": {}})})

    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "onboard_tenant.py"), "acme"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "acme: " in done.stdout
    assert not set(MIXPANEL) & set(generated(project))
    assert project.martlet("onboard", "--check").code == 0
