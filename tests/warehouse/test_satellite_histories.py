"""Three hundred random histories of shapes and configurations: the satellites equal an oracle."""

import json
import random
import shutil
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.harness import golden_tenant
from tests.project import REPOSITORY, Project, new_project
from tests.warehouse.bare_dbt import dbt

SEED = 5
HISTORIES = 300
# Replays the steps through the macros that the push uses, in one dbt invocation.
REPLAY = """
{% macro replay_satellites(file) %}
    {% set steps = fromjson(run_query("select content from read_text('" ~ file ~ "')").rows[0][0]) %}
    {% do run_query('begin') %}
    {% for step in steps %}
        {% do sync_to_schema_history(
            {'tenant': 'golden', 'platform': 'shopify', 'object': 'orders'},
            {'table': step.table, 'connection': 'main'}, step.shape
        ) %}
        {% do run_query(insert_config_version(
            ref('platform_sat__tenant_config_history'), step.table, {'digest': step.shape.source_schema_hash}
        )) %}
    {% endfor %}
    {% do run_query('commit') %}
{% endmacro %}
"""


def _shape(letter: str) -> dict[str, Any]:
    """Return one of a few shapes; B has a column more than A, C another type."""
    columns = [{"name": "id", "type": "VARCHAR" if letter == "C" else "BIGINT", "family": "int"}]
    if letter != "A":
        columns.append({"name": "it's", "type": "JSON", "family": "json"})
    return {"source_schema_hash": letter, "schema_family_hash": letter, "columns": columns}


@pytest.fixture(scope="module")
def histories() -> dict[str, str]:
    dice = random.Random(SEED)
    return {
        f"t{number}": "".join(dice.choices("ABC", k=dice.randint(1, 6)))
        for number in range(HISTORIES)
    }


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, histories: dict[str, str]) -> Project:
    project = new_project(tmp_path_factory.mktemp("satellites") / "project")
    project.configure({"golden": golden_tenant({"shopify": {}})})
    project.run()
    _own_macros(project.folder, REPLAY)
    steps = [
        (position, table, letter)
        for table, letters in histories.items()
        for position, letter in enumerate(letters)
    ]
    steps.sort()  # tables take turns, as in real runs
    file = project.folder / "steps.json"
    file.write_text(
        json.dumps([{"table": table, "shape": _shape(letter)} for _, table, letter in steps])
    )
    done = dbt(
        project, "run-operation", "replay_satellites", "--args", json.dumps({"file": str(file)})
    )
    assert done.code == 0, done.stdout
    return project


def _own_macros(folder: Path, macro: str) -> None:
    (folder / "macros").unlink()
    shutil.copytree(REPOSITORY / "macros", folder / "macros")
    (folder / "macros" / "replay_satellites.sql").write_text(macro)


def _versions(letters: str) -> list[str]:
    """Return the oracle's versions: a state that repeats is none, one that comes back is one."""
    return [letter for letter, _ in groupby(letters)]


def test_the_schema_history_has_a_version_for_every_change_and_for_nothing_else(
    replayed: Project, histories: dict[str, str]
) -> None:
    rows = replayed.query(
        "select landed_table, list(source_schema_hash order by version_number) as hashes, "
        "list(version_number order by version_number) as numbers "
        "from platform.platform_sat__source_schema_history where tenant_slug = 'golden' "
        "and starts_with(landed_table, 't') group by 1"
    )

    told = {row["landed_table"]: row["hashes"] for row in rows}
    assert told == {table: _versions(letters) for table, letters in histories.items()}
    assert all(row["numbers"] == list(range(1, len(row["numbers"]) + 1)) for row in rows)


def test_every_version_says_what_changed_since_the_one_before(replayed: Project) -> None:
    changes = replayed.query(
        "select distinct lag(source_schema_hash) over w || source_schema_hash as step, difference "
        "from platform.platform_sat__source_schema_history where starts_with(landed_table, 't') "
        "window w as (partition by landed_table order by version_number)"
    )

    told = {row["step"]: json.loads(row["difference"]) for row in changes if row["step"]}
    assert told["AB"] == {"added": ["it's"], "removed": [], "retyped": []}
    assert told["BA"] == {"added": [], "removed": ["it's"], "retyped": []}
    assert told["BC"] == {"added": [], "removed": [], "retyped": [["id", "BIGINT", "VARCHAR"]]}
    assert set(told) == {"AB", "BA", "AC", "CA", "BC", "CB"}


def test_the_configuration_history_follows_the_same_rule(
    replayed: Project, histories: dict[str, str]
) -> None:
    rows = replayed.query(
        "select tenant_slug, list(config_digest order by version_number) as digests "
        "from platform.platform_sat__tenant_config_history where tenant_slug != 'golden' group by 1"
    )

    told = {row["tenant_slug"]: row["digests"] for row in rows}
    assert told == {table: _versions(letters) for table, letters in histories.items()}
