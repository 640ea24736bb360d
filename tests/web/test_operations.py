"""Pipeline and schemas: what happened, in words; and the lineage as a picture and a list."""

import json

from martlet.web.lineage import lineage_of
from tests.api.published import OWN
from tests.web.conftest import SignedIn
from tests.web.served import words_of

MODELS = [
    {
        "name": f"stg_acme__{platform}_campaigns",
        "depends_on": json.dumps(
            [
                f"source.martlet.acme_{platform}.acme_{platform}__campaigns",
                "model.martlet.platform_mm__facebook_ads_api_v1_campaigns",
                "model.martlet.platform_ops__push_ledger",
            ]
        ),
    }
    for platform in ("facebook_ads", "instagram_ads")
] + [
    {
        "name": f"int_acme__{platform}_campaigns",
        "depends_on": json.dumps(
            [
                f"model.martlet.stg_acme__{platform}_campaigns",
                "model.martlet.platform_mm__facebook_ads_api_v1_campaigns",
            ]
        ),
    }
    for platform in ("facebook_ads", "instagram_ads")
]
STAR = {
    "name": "dim_acme__campaigns",
    "depends_on": json.dumps(
        [
            "model.martlet.int_acme__facebook_ads_campaigns",
            "model.martlet.int_acme__instagram_ads_campaigns",
        ]
    ),
}


def test_the_pipeline_tells_runs_and_their_results(signed_in: SignedIn) -> None:
    words = words_of(signed_in().get(f"/ui/{OWN}/pipeline").text)

    assert "2 June 2026, 10:00 UTC" in words
    assert "Succeeded" in words
    assert "1.5 s" in words


def test_a_run_has_a_page(signed_in: SignedIn) -> None:
    words = words_of(signed_in().get(f"/ui/{OWN}/pipeline/runs/run0").text)

    assert "Run of 1 June 2026, 10:00 UTC" in words


def test_a_run_of_another_tenant_has_none(signed_in: SignedIn) -> None:
    assert signed_in().get(f"/ui/{OWN}/pipeline/runs/run1").status_code == 404


def test_schemas_tell_each_shape_with_its_verdict(signed_in: SignedIn) -> None:
    words = words_of(signed_in().get(f"/ui/{OWN}/schemas").text)

    assert "Shopify, orders Known shape 1 shape, 1 column" in words
    assert "The first shape seen." in words
    assert "fingerprint abc" in words


def test_lineage_leads_from_each_landed_table_to_the_mart() -> None:
    lineage = lineage_of("acme", [*MODELS, STAR], held=["acme_facebook_ads__campaigns"])

    assert lineage is not None
    assert [way.source for way in lineage.ways] == [
        "Facebook Ads: campaigns",
        "Instagram Ads: campaigns",
    ]
    assert all(way.stars == ("dim_acme__campaigns",) for way in lineage.ways)
    assert len({node.name for node in lineage.nodes if node.step == 2}) == 1
    assert [node.kind for node in lineage.nodes if node.step == 0] == ["held", ""]
    assert all(0 <= node.y <= lineage.height for node in lineage.nodes)


def test_a_source_that_nothing_reads_yet_is_in_the_lineage() -> None:
    lineage = lineage_of("acme", MODELS[:1])

    assert lineage is not None
    (way,) = lineage.ways
    assert way.reader is None
    assert way.stars == ()


def test_without_models_there_is_no_lineage() -> None:
    assert lineage_of("acme", []) is None
    assert lineage_of("acme", [{"name": "stg_other__x_y", "depends_on": "[]"}]) is None
