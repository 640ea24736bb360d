"""Where a project and its state lie."""

from pathlib import Path

import pytest

from martlet.errors import BadInputError
from martlet.settings import load_settings


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "project"
    (folder / "models" / "staging").mkdir(parents=True)
    (folder / "dbt_project.yml").touch()
    (folder / "supported_connectors.yaml").touch()
    return folder


def test_the_project_is_found_from_a_folder_within_it(project: Path) -> None:
    found = load_settings({}, project / "models" / "staging")

    assert found.project_dir == project
    assert found.catalogue_file == project / "supported_connectors.yaml"
    assert found.tenants_file == project / "tenants.yaml"
    assert found.home == project / "data"
    assert found.warehouse == project / "data" / "warehouse.duckdb"
    assert found.landing == project / "data" / "landing.duckdb"
    assert found.dlt_dir == project / "data" / "dlt"
    assert found.target_dir("acme") == project / "data" / "target" / "acme"


def test_the_nearest_of_two_nested_projects_wins(project: Path) -> None:
    inner = project / "inner"
    inner.mkdir()
    (inner / "dbt_project.yml").touch()
    (inner / "supported_connectors.yaml").touch()

    assert load_settings({}, inner).project_dir == inner


def test_the_variables_name_project_home_and_tenants(project: Path, tmp_path: Path) -> None:
    environ = {
        "MARTLET_PROJECT": str(project),
        "MARTLET_HOME": "state/../elsewhere",
        "MARTLET_TENANTS": str(tmp_path / "other.yaml"),
    }

    found = load_settings(environ, tmp_path)

    assert found.project_dir == project
    assert found.home == project / "elsewhere"
    assert found.tenants_file == tmp_path.resolve() / "other.yaml"


def test_an_empty_variable_counts_as_unset(project: Path) -> None:
    environ = {"MARTLET_PROJECT": "", "MARTLET_HOME": "", "MARTLET_TENANTS": ""}

    assert load_settings(environ, project) == load_settings({}, project)


def test_a_relative_project_starts_at_the_working_directory(project: Path, tmp_path: Path) -> None:
    assert load_settings({"MARTLET_PROJECT": "project"}, tmp_path).project_dir == project


def test_no_project_at_all_is_bad_input_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="MARTLET_PROJECT") as caught:
        load_settings({}, tmp_path)

    assert caught.value.exit_code == 2


def test_a_named_folder_that_is_no_project_is_bad_input(project: Path) -> None:
    (project / "dbt_project.yml").unlink()

    with pytest.raises(BadInputError, match=r"no dbt_project\.yml"):
        load_settings({"MARTLET_PROJECT": str(project)})


@pytest.mark.parametrize("home", ["a\0b", "~no_such_user_here/data"])
def test_a_path_that_cannot_be_used_is_bad_input(project: Path, home: str) -> None:
    with pytest.raises(BadInputError, match="MARTLET_HOME"):
        load_settings({"MARTLET_HOME": home}, project)
