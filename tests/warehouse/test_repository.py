"""What dbt finds in the repository itself, for the committed tenants."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.project import REPOSITORY
from tests.warehouse.bare_dbt import dbt_in

LAYERS = {
    "models/staging/": (28, "view", "staging"),
    "models/intermediate/": (28, "view", "intermediate"),
    "models/analytics/": (8, "refreshed or table", "analytics"),
    "models/platform/master_models/": (36, "append_only", "platform"),
}


@dataclass(frozen=True)
class Listing:
    """The models that `dbt ls` names, and what the manifest says of them."""

    listed: tuple[str, ...]
    models: dict[str, dict[str, Any]]

    def below(self, folder: str) -> list[dict[str, Any]]:
        return [m for m in self.models.values() if m["original_file_path"].startswith(folder)]


def _list(home: Path, **environment: str) -> Listing:
    target = home / "target"
    done = dbt_in(
        REPOSITORY, "--quiet", "--log-path", str(home / "logs"), "ls", "--resource-type", "model",
        "--output", "name", "--target-path", str(target), MARTLET_HOME=str(home), **environment,
    )  # fmt: skip
    assert done.code == 0, done.stdout + done.stderr
    nodes = json.loads((target / "manifest.json").read_text())["nodes"].values()
    models = {node["name"]: node for node in nodes if node["resource_type"] == "model"}
    return Listing(tuple(done.stdout.split()), models)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return _list(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("folder", LAYERS)
def test_dbt_lists_as_many_models_of_a_layer_as_are_specified(
    repository: Listing, folder: str
) -> None:
    expected, _, _ = LAYERS[folder]

    names = [model["name"] for model in repository.below(folder)]

    assert len(names) == expected
    assert set(names) <= set(repository.listed)


def test_dbt_lists_nothing_that_the_manifest_does_not_have(repository: Listing) -> None:
    assert sorted(repository.listed) == sorted(repository.models)


@pytest.mark.parametrize("folder", LAYERS)
def test_every_model_of_a_layer_is_materialized_in_its_schema_as_specified(
    repository: Listing, folder: str
) -> None:
    _, materialized, schema = LAYERS[folder]

    found = {(m["config"]["materialized"], m["schema"]) for m in repository.below(folder)}

    assert found == {(kind, schema) for kind in materialized.split(" or ")}


def test_facts_follow_their_records_and_dimensions_are_built_whole(repository: Listing) -> None:
    for model in repository.below("models/analytics/"):
        is_fact = model["name"].startswith("fct_")

        assert model["config"]["materialized"] == ("refreshed" if is_fact else "table")


def test_there_is_one_master_for_each_object_of_each_api_of_the_catalogue(
    repository: Listing,
) -> None:
    catalogue = yaml.safe_load((REPOSITORY / "supported_connectors.yaml").read_text())
    expected = {
        f"platform_mm__{connector['master_model_id']}_{object_}"
        for connector in catalogue["connectors"].values()
        for object_ in connector["objects"]
    }

    masters = {model["name"] for model in repository.below("models/platform/master_models/")}

    assert len(catalogue["connectors"]) == 13
    assert masters == expected


def test_every_staging_model_pushes_through_its_hook_into_a_master(repository: Listing) -> None:
    for model in repository.below("models/staging/"):
        hooks = [hook["sql"] for hook in model["config"]["post-hook"]]
        master = model["config"]["meta"]["push"]["master"]

        assert any("sync_to_master_hub(" in hook for hook in hooks), model["name"]
        assert f"model.martlet.{master}" in model["depends_on"]["nodes"], model["name"]


def test_every_intermediate_view_comes_after_its_push(repository: Listing) -> None:
    for model in repository.below("models/intermediate/"):
        staging = model["name"].replace("int_", "stg_", 1)

        assert f"model.martlet.{staging}" in model["depends_on"]["nodes"], model["name"]


def test_every_fact_and_dimension_enforces_a_contract_of_described_columns(
    repository: Listing,
) -> None:
    for model in repository.below("models/analytics/"):
        columns = model["columns"]

        assert model["config"]["contract"]["enforced"], model["name"]
        assert model["description"], model["name"]
        assert list(columns)[:3] == ["tenant_slug", "source_platform", "connection"]
        undescribed = [name for name, c in columns.items() if not c["description"].strip()]
        untyped = [name for name, c in columns.items() if not c["data_type"]]
        assert not undescribed, model["name"]
        assert not untyped, model["name"]


def test_a_parse_of_one_tenant_keeps_how_its_models_are_materialized(
    repository: Listing, tmp_path: Path
) -> None:
    tenant = _list(tmp_path, MARTLET_TENANT="tyrell_corp")

    assert [len(tenant.below(folder)) for folder in LAYERS] == [16, 16, 4, 36]
    for name, model in tenant.models.items():
        whole = repository.models[name]["config"]
        assert {k: model["config"][k] for k in ("materialized", "schema", "contract")} == {
            k: whole[k] for k in ("materialized", "schema", "contract")
        }, name
    assert not list(tmp_path.glob("*.duckdb")), "listing models opened a database"
