"""Two further tenants, added by editing tenants.yaml only."""

import pytest

from martlet.star_schema import STAR_TABLES, StarTable
from tests.project import REPOSITORY, Project, new_project
from tests.warehouse.state import facts, generated

SMALL = "generation: {campaigns: 1, orders_per_day: 3, sessions_per_day: 5, products: 3}"
ADDED = f"""
  cyberdyne:
    name: Cyberdyne Systems
    reporting_timezone: Europe/Berlin
    currency: EUR
    sources:
      tiktok_ads: {{{SMALL}}}
      linkedin_ads: {{{SMALL}}}
      amazon_ads: {{{SMALL}}}
      woocommerce: {{{SMALL}}}
      mixpanel: {{{SMALL}}}

  initech:
    name: Initech
    reporting_timezone: Australia/Sydney
    currency: AUD
    sources:
      amplitude: {{{SMALL}}}
"""
FILLED = {
    "cyberdyne": {"ad_performance", "orders", "sessions", "campaigns"},
    "initech": {"sessions"},
}
CASES = [(tenant, table) for tenant in FILLED for table in STAR_TABLES]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("tenants") / "project")
    committed = (REPOSITORY / "tenants.yaml").read_text()
    (project.folder / "tenants.yaml").write_text(committed + ADDED)
    for tenant in FILLED:
        project.martlet("land", tenant, "--days", "2", "--seed", "3")
    project.run("--strict", "--tenant", "cyberdyne", "--tenant", "initech")
    return project


def _model(tenant: str, table: StarTable) -> str:
    return f"{'fct' if table.kind == 'fact' else 'dim'}_{tenant}__{table.name}"


@pytest.mark.parametrize(
    ("tenant", "table"), CASES, ids=lambda value: getattr(value, "name", value)
)
def test_every_fact_and_dimension_exists_with_the_canonical_columns_and_types(
    project: Project, tenant: str, table: StarTable
) -> None:
    columns = project.query(
        "select column_name, data_type from duckdb_columns() where database_name = 'warehouse' "
        "and schema_name = 'analytics' and table_name = ? order by column_index",
        _model(tenant, table),
    )

    assert [(c["column_name"], c["data_type"]) for c in columns] == [
        (column.name, column.type.upper()) for column in table.columns
    ]


@pytest.mark.parametrize(
    ("tenant", "table"), CASES, ids=lambda value: getattr(value, "name", value)
)
def test_a_table_has_rows_exactly_where_the_tenant_has_a_source_of_its_domain(
    project: Project, tenant: str, table: StarTable
) -> None:
    rows = project.value(f"select count(*) from analytics.{_model(tenant, table)}")

    assert (rows > 0) == (table.name in FILLED[tenant])


def test_the_ads_of_all_three_platforms_are_in_one_fact(project: Project) -> None:
    platforms = project.query(
        "select source_platform, sum(spend) as spend from analytics.fct_cyberdyne__ad_performance "
        "group by all order by all"
    )

    assert [row["source_platform"] for row in platforms] == [
        "amazon_ads", "linkedin_ads", "tiktok_ads",
    ]  # fmt: skip
    assert all(row["spend"] > 0 for row in platforms)


def test_the_tenants_that_did_not_run_have_neither_files_nor_facts(project: Project) -> None:
    assert not [name for name in generated(project) if "tyrell" in name or "wayne" in name]
    assert facts(project, "tyrell_corp") == {}
    assert facts(project, "wayne_enterprises") == {}
