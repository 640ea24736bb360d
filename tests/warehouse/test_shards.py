"""A run of one shard, as any scheduler starts it on one of several machines."""

from pathlib import Path

import pytest

from martlet.config.shards import Shard
from tests.project import Project, new_project
from tests.warehouse.state import tenant


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder: Path = tmp_path_factory.mktemp("shards")
    project = new_project(folder / "project")
    project.configure({"ada": tenant({"shopify": {}})})
    return project


@pytest.mark.parametrize(
    "arguments",
    [("--shard", "4/3"), ("--shard", "1/2", "--tenant", "ada"), ("--all", "--tenant", "ada")],
)
def test_what_asks_for_no_shard_writes_nothing(
    project: Project, arguments: tuple[str, ...]
) -> None:
    refused = project.martlet("run", *arguments, check=False)

    assert refused.code == 2
    assert "remedy:" in refused.stderr
    assert not project.warehouse.exists()


def test_a_run_says_which_shard_it_was_and_holds_only_its_tenants(project: Project) -> None:
    told = [project.run("--all", "--shard", shard) for shard in ("1/2", "2/2")]
    ran = [{row["tenant"] for row in report["tables"]} for report in told]

    assert [report["shard"] for report in told] == ["1/2", "2/2"]
    assert ran == [{"ada"} if Shard(n, 2).has("ada") else set() for n in (1, 2)]
    assert project.run("--all")["shard"] is None


def test_a_stanza_with_a_mistake_fails_the_shard_that_it_is_in(project: Project) -> None:
    project.configure({"ada": tenant({"shopify": {}}), "bea": {"name": 1}})

    codes = [project.martlet("run", "--shard", f"{n}/2", check=False).code for n in (1, 2)]

    assert codes == [int(Shard(n, 2).has("bea")) for n in (1, 2)]
