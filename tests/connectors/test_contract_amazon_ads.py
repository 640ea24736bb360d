"""The Amazon contract reads Sponsored Products in the wire form and in Airbyte's."""

import json
from collections.abc import Mapping

import duckdb
import pytest

from martlet.contracts.amazon_ads.contract import CONTRACTS
from martlet.contracts.base import ObjectContract

BY_OBJECT = {contract.object: contract for contract in CONTRACTS}
EXTENDED = {
    "creationDateTime": "2024-02-01T08:00:00.000Z",
    "lastUpdateDateTime": "2024-03-04T09:30:00.000Z",
    "servingStatus": "CAMPAIGN_STATUS_ENABLED",
}
CAMPAIGN = {
    "campaignId": "135264288913079",
    "portfolioId": "230114870091205",
    "name": "Mugs",
    "tags": {"season": "spring"},
    "targetingType": "MANUAL",
    "state": "ENABLED",
    "dynamicBidding": {
        "strategy": "LEGACY_FOR_SALES",
        "placementBidding": [{"placement": "PLACEMENT_TOP", "percentage": 25}],
    },
    "startDate": "2024-02-01",
    "budget": {"budget": 25.5, "budgetType": "DAILY"},
    "extendedData": EXTENDED,
}
AD_GROUP = {
    "adGroupId": "88123456789012",
    "campaignId": "135264288913079",
    "name": "Blue mugs",
    "defaultBid": 0.75,
    "state": "ENABLED",
    "extendedData": EXTENDED,
}
PRODUCT_AD = {
    "adId": "99123456789012",
    "adGroupId": "88123456789012",
    "campaignId": "135264288913079",
    "asin": "B000TEST01",
    "sku": "MUG-1",
    "state": "PAUSED",
    "extendedData": EXTENDED,
}
REPORT_ROW = {
    "date": "2024-03-05",
    "adId": 99123456789012,
    "campaignId": 135264288913079,
    "campaignName": "Mugs",
    "adGroupId": 88123456789012,
    "adGroupName": "Blue mugs",
    "impressions": 4210,
    "clicks": 37,
    "cost": 18.42,
    "campaignBudgetCurrencyCode": "EUR",
    "advertisedAsin": "B000TEST01",
    "purchases14d": 3,
    "purchases30d": 4,
    "sales14d": 59.7,
    "sales30d": 79.6,
    "unitsSoldClicks30d": 5,
}
PROFILE = {"profileId": 3312345678901234}
REPORT = "sponsored_products_advertised_product_report"
RECORDS = [
    ("sponsored_products_campaigns", "native", {**CAMPAIGN, **PROFILE}),
    ("sponsored_products_campaigns", "airbyte", CAMPAIGN),
    ("sponsored_products_ad_groups", "native", {**AD_GROUP, **PROFILE}),
    ("sponsored_products_ad_groups", "airbyte", AD_GROUP),
    ("sponsored_products_product_ads", "native", {**PRODUCT_AD, **PROFILE}),
    ("sponsored_products_product_ads", "airbyte", PRODUCT_AD),
    (REPORT, "native", {**REPORT_ROW, **PROFILE, "advertisedSku": "MUG-1", "costPerClick": 0.5}),
    (REPORT, "airbyte", {**REPORT_ROW, **PROFILE, "reportDate": "2024-03-05"}),
]


def read_text(contract: ObjectContract, name: str, record: Mapping[str, object]) -> str | None:
    """Return what the paths of one column find in a record, before it is cast."""
    (column,) = [column for column in contract.columns if column.name == name]
    found = [
        duckdb.execute("select ?::json ->> ?", [json.dumps(record), path]).fetchall()[0][0]
        for path in column.paths
    ]
    return next((text for text in found if text is not None), None)


@pytest.mark.parametrize(("object_name", "loader", "record"), RECORDS)
def test_a_record_validates_and_has_its_key_and_what_the_facts_need(
    object_name: str, loader: str, record: Mapping[str, object]
) -> None:
    contract = BY_OBJECT[object_name]
    (version,) = [version for version in contract.versions if version.loader == loader]

    landed = version.record.model_validate(record)

    assert landed.model_extra == {}
    for name in {*contract.key, *contract.needed}:
        assert read_text(contract, name, record) is not None, name


def test_the_numeric_id_of_a_report_row_reads_like_the_text_id_of_its_entity() -> None:
    in_report = read_text(BY_OBJECT[REPORT], "ad_id", REPORT_ROW)
    in_entity = read_text(BY_OBJECT["sponsored_products_product_ads"], "ad_id", PRODUCT_AD)

    assert in_report == in_entity == "99123456789012"


def test_a_product_ad_has_no_metric() -> None:
    columns = {column.name for column in BY_OBJECT["sponsored_products_product_ads"].columns}

    assert not columns & {"cost", "impressions", "clicks"}
