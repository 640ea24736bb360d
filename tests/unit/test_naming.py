"""Names of models and tables, and the rule for slugs."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from martlet import naming

NEAR_SLUGS = st.text("ab9_AB- é\n", max_size=70)


def test_names_are_built_as_the_specification_writes_them() -> None:
    tenant = "tyrell_corp"

    names = [
        naming.landed_schema(tenant),
        naming.landed_table(tenant, "shopify", "orders"),
        naming.landed_table(tenant, "shopify", "orders", "main"),
        naming.landed_table(tenant, "shopify", "orders", "outlet"),
        naming.source_name(tenant, "shopify"),
        naming.staging_model(tenant, "shopify", "orders"),
        naming.intermediate_model(tenant, "google_analytics", "events"),
        naming.master_model("facebook_ads_api_v1", "ad_sets"),
        naming.fact_model(tenant, "ad_performance"),
        naming.dimension_model(tenant, "campaigns"),
        naming.SHARED_SCHEMA,
        naming.UNASSIGNED,
    ]

    assert names == [
        "tyrell_corp",
        "tyrell_corp_shopify__orders",
        "tyrell_corp_shopify__orders",
        "tyrell_corp_shopify__orders__outlet",
        "tyrell_corp_shopify",
        "stg_tyrell_corp__shopify_orders",
        "int_tyrell_corp__google_analytics_events",
        "platform_mm__facebook_ads_api_v1_ad_sets",
        "fct_tyrell_corp__ad_performance",
        "dim_tyrell_corp__campaigns",
        "shared",
        "_unassigned",
    ]


@settings(derandomize=True, max_examples=500)
@given(st.one_of(NEAR_SLUGS, st.text(max_size=5)))
def test_a_slug_is_accepted_exactly_when_the_written_rule_holds(value: str) -> None:
    follows_rule = (
        re.match(r"^[a-z][a-z0-9_]*\Z", value) is not None
        and "__" not in value
        and len(value) <= 63
    )

    assert (naming.slug_problem(value) is None) == follows_rule


@settings(derandomize=True, max_examples=300)
@given(st.one_of(NEAR_SLUGS, st.text(max_size=80)))
def test_a_suggested_slug_is_a_slug(value: str) -> None:
    suggestion = naming.suggest_slug(value)

    assert suggestion is None or naming.slug_problem(suggestion) is None


@pytest.mark.parametrize(
    "slug", ["shared", "main", "information_schema", "pg_catalog", "staging", "_unassigned", "ops"]
)
def test_schemas_of_our_own_cannot_name_a_tenant(slug: str) -> None:
    assert "reserved" in str(naming.tenant_slug_problem(slug))


def test_a_slug_of_63_characters_is_the_longest() -> None:
    assert naming.slug_problem("a" * 63) is None
    assert "at most 63" in str(naming.slug_problem("a" * 64))
