"""What a tenant leaves in the catalogue is small, for every opening of the file reads all of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, new_project
from tests.warehouse import state

SOURCES = {"google_ads": {"objects": ["ad_performance", "campaigns"]}}
SLUGS = ("north", "south")
NO_SOUTH = {"field": "campaign_name", "op": "ne", "value": "it's 'south'"}
LONGEST_VIEW = 200  # characters; a view that unpacks a record by itself has thousands


def _row(spend: int) -> dict[str, Any]:
    return {
        "customer": {"id": "1"},
        "campaign": {"id": "2"},
        "adGroup": {"id": "3"},
        "adGroupAd": {"ad": {"id": "4"}},
        "metrics": {"costMicros": str(spend * 1_000_000), "impressions": "1", "clicks": "1"},
        "segments": {"date": "2026-05-01", "device": "MOBILE"},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(Path(tmp_path_factory.mktemp("many")) / "project")
    tenants = {slug: state.tenant(SOURCES) for slug in SLUGS}
    # Its name is a part of a text of its own filter: the text cannot be shared.
    tenants["south"]["sources"] = {
        "google_ads": {
            **SOURCES["google_ads"],
            "tables": {"campaigns": {"filters": [NO_SOUTH]}},
        }
    }
    project.configure(tenants)
    for number, slug in enumerate(SLUGS, start=1):
        project.land_records(slug, "google_ads", "ad_performance", [_row(number)])
    project.run()
    return project


def _views(project: Project) -> dict[str, str]:
    rows = project.query(
        "select view_name, sql from duckdb_views() "
        "where database_name = 'warehouse' and schema_name in ('staging', 'intermediate')"
    )
    return {row["view_name"]: row["sql"] for row in rows}


@pytest.mark.files_only("views of a lake are rows of its catalogue, each with its own text")
def test_tenants_share_the_bodies_of_their_views(project: Project) -> None:
    views = _views(project)

    assert len(views) == 14
    for name in ("stg_north__google_ads_ad_performance", "int_north__google_ads_ad_performance"):
        own, other = views[name], views[name.replace("north", "south")]
        assert len(own) < LONGEST_VIEW
        assert own.replace("north", "south") == other


def test_each_tenant_sees_its_own_rows_through_a_shared_body(project: Project) -> None:
    for spend, slug in enumerate(SLUGS, start=1):
        for view in (f"staging.stg_{slug}__google_ads", f"intermediate.int_{slug}__google_ads"):
            assert project.query(f"select tenant_slug from {view}_ad_performance") == [
                {"tenant_slug": slug}
            ]
        spent = f"select sum(spend) from analytics.fct_{slug}__ad_performance"
        assert project.value(spent) == spend


def test_a_text_that_holds_the_tenants_name_stays_the_views_own(project: Project) -> None:
    view = _views(project)["int_south__google_ads_campaigns"]

    assert "it''s ''south''" in view
    assert len(view) > LONGEST_VIEW
