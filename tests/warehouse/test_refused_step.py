"""A step that the database refuses for one tenant is told, and the next tenant is run."""

from pathlib import Path

from tests.connectors.harness import golden_tenant
from tests.project import new_project


def test_a_table_of_ours_that_somebody_changed_stops_one_tenant_and_is_told(
    tmp_path: Path,
) -> None:
    project = new_project(tmp_path / "project")
    project.configure(
        {"acme": golden_tenant({"shopify": {}}), "best": golden_tenant({"shopify": {}})}
    )
    project.run()
    with project.open_warehouse() as warehouse:
        warehouse.execute(
            "alter table ops.platform_ops__boring_semantic_layer drop column definition_digest"
        )

    result = project.martlet("run", "--full", "--json", check=False)

    assert result.code == 1
    assert "Traceback" not in result.stderr
    failed = [f for f in result.document["findings"] if f["kind"] == "failure"]
    assert {finding["tenant"] for finding in failed} == {"acme", "best"}
    assert all("definition_digest" in finding["message"] for finding in failed)
