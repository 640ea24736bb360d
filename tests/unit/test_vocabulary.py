"""The vocabulary of a definition: what may be asked, and what each name needs care for."""

import json
from pathlib import Path

import duckdb
import pytest

from martlet.semantic.definitions import tenant_definitions
from martlet.semantic.errors import UnknownFieldError, UnknownModelError
from martlet.semantic.standard import STANDARD_MODELS
from martlet.semantic.vocabulary import Vocabulary
from tests.unit.semantic_tables import create_star_schema, load_acme

OWN = {
    "measures": {
        "ad_performance": {
            "brand_value": {
                "sum": "conversion_value",
                "filters": [{"field": "campaign_id", "op": "eq", "value": "1"}],
            },
            "brand_roas": {"ratio": {"numerator": "brand_value", "denominator": "spend"}},
            "clicks_per_row": {"ratio": {"numerator": "clicks", "denominator": "row_count"}},
            "cpc_by_cpm": {"ratio": {"numerator": "cpc", "denominator": "cpm"}},
        }
    }
}


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    folder: Path = tmp_path_factory.mktemp("project")
    with duckdb.connect() as warehouse:
        create_star_schema(warehouse)
        definition = tenant_definitions(warehouse, load_acme(folder, OWN))
    return Vocabulary.from_definition(json.loads(json.dumps(definition, sort_keys=True)))


def test_a_model_is_told_with_its_grain_day_and_joins(vocabulary: Vocabulary) -> None:
    ads = vocabulary.model("ad_performance")

    assert list(vocabulary.models) == sorted(STANDARD_MODELS)
    assert ads.relation == "fct_acme__ad_performance"
    assert ads.description.startswith("What ads cost and brought")
    assert ads.grain == "one row per connection, account, day, campaign, ad group and ad"
    assert ads.time_dimension == "report_date"
    assert ads.joins == ("campaigns",)
    assert vocabulary.model("campaigns").time_dimension is None


def test_a_joined_dimension_has_its_model_before_its_name(vocabulary: Vocabulary) -> None:
    joined = vocabulary.dimension("ad_performance", "campaigns.campaign_name")
    own = vocabulary.dimension("campaigns", "campaign_name")

    assert joined.joined_model == "campaigns"
    assert own.joined_model is None
    assert joined.label == own.label == "Campaign"
    assert "campaigns.campaign_count" not in vocabulary.model("ad_performance").measures


def test_days_and_moments_have_grains_and_nothing_else_has(vocabulary: Vocabulary) -> None:
    orders = vocabulary.model("orders")

    times = {name for name, term in orders.dimensions.items() if term.is_time}
    assert times == {"order_date", "business_date", "ordered_at"}
    assert orders.dimension("order_date").grains == ("day", "week", "month", "quarter", "year")
    assert orders.dimension("currency").grains == ()
    assert orders.time(None).name == "business_date"
    assert orders.time("ordered_at").type == "timestamp"
    with pytest.raises(UnknownFieldError, match="'currency' of model 'orders' is varchar, no time"):
        orders.time("currency")
    with pytest.raises(UnknownFieldError, match="no day of its own; name a field of time; valid"):
        vocabulary.model("campaigns").time(None)


def test_personal_dimensions_are_told(vocabulary: Vocabulary) -> None:
    assert vocabulary.dimension("sessions", "session_id").is_personal
    assert not vocabulary.dimension("orders", "order_id").is_personal


@pytest.mark.parametrize(
    ("model", "name", "bases"),
    [
        ("ad_performance", "spend", ("spend",)),
        ("ad_performance", "cpm", ("impressions", "spend")),
        ("ad_performance", "brand_roas", ("brand_value", "spend")),
        ("ad_performance", "cpc_by_cpm", ("clicks", "impressions", "spend")),
        ("orders", "aov", ("order_count", "revenue")),
    ],
)
def test_a_measure_is_made_of_base_measures(
    vocabulary: Vocabulary, model: str, name: str, bases: tuple[str, ...]
) -> None:
    term = vocabulary.measure(model, name)

    assert term.base_measures == bases
    assert term.is_ratio == (len(bases) > 1)


def test_a_measure_knows_the_columns_that_it_is_computed_from(vocabulary: Vocabulary) -> None:
    aov = vocabulary.measure("orders", "aov")

    assert aov.columns == {"total_price", "refunded", "is_test", "is_cancelled"}
    assert vocabulary.measure("sessions", "session_count").columns == set()


def test_money_and_ratios_over_money_need_care_and_other_numbers_do_not(
    vocabulary: Vocabulary,
) -> None:
    free = {
        f"{name}.{measure}"
        for name in ("ad_performance", "blended")
        for measure, term in vocabulary.model(name).measures.items()
        if not term.is_money
    }

    assert free == {
        "ad_performance.impressions",
        "ad_performance.clicks",
        "ad_performance.conversions",
        "ad_performance.row_count",
        "ad_performance.ctr",
        "ad_performance.conversion_rate",
        "ad_performance.clicks_per_row",
        "blended.impressions",
        "blended.clicks",
        "blended.conversions",
        "blended.orders",
        "blended.new_customers",
        "blended.sessions",
        "blended.conversion_sessions",
        "blended.session_conversion_rate",
    }


def test_what_is_made_of_claims_is_claimed(vocabulary: Vocabulary) -> None:
    measures = vocabulary.model("ad_performance").measures

    claimed = {name for name, term in measures.items() if term.is_claimed}
    assert claimed == {
        "conversions",
        "conversion_value",
        "cpa",
        "roas",
        "conversion_rate",
        "brand_value",
        "brand_roas",
    }


def test_ratios_of_two_domains_are_blended(vocabulary: Vocabulary) -> None:
    assert vocabulary.measure("blended", "cac").is_blended
    assert not vocabulary.measure("blended", "aov").is_blended
    assert not vocabulary.measure("blended", "spend").is_blended


def test_an_unknown_name_is_answered_with_the_nearest_of_its_model(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnknownModelError, match="no model 'order'; did you mean 'orders'"):
        vocabulary.model("order")
    with pytest.raises(
        UnknownFieldError, match="no measure 'spent'; did you mean 'spend'"
    ) as error:
        vocabulary.measure("ad_performance", "spent")
    assert (error.value.code, error.value.field) == ("unknown_field", "spent")
    with pytest.raises(UnknownFieldError, match=r"did you mean 'campaigns\.campaign_name'"):
        vocabulary.dimension("ad_performance", "campaign.campaign_name")
    with pytest.raises(UnknownFieldError, match="no dimension 'spend'; it is a measure"):
        vocabulary.dimension("ad_performance", "spend")
    with pytest.raises(UnknownFieldError, match="no measure 'currency'; it is a dimension"):
        vocabulary.measure("orders", "currency")
    with pytest.raises(UnknownFieldError, match="no dimension or measure 'campaign_key'"):
        vocabulary.model("ad_performance").find("campaign_key")
    assert vocabulary.model("ad_performance").find("cpc").name == "cpc"


def test_an_unknown_name_brings_no_name_of_another_model(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnknownFieldError) as error:
        vocabulary.model("sessions").find("customer_email")

    assert "total_price" not in str(error.value)
    assert "customer_count" not in str(error.value)
