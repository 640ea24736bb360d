"""The LinkedIn contract reads campaigns and daily analytics in the wire form and in Airbyte's."""

import json
from collections.abc import Mapping

import duckdb
import pytest

from martlet.contracts.base import ObjectContract
from martlet.contracts.linkedin_ads.contract import CONTRACTS

BY_OBJECT = {contract.object: contract for contract in CONTRACTS}
STAMPS = {
    "created": {"actor": "urn:li:person:a", "time": 1709287200000},
    "lastModified": {"actor": "urn:li:person:a", "time": 1709546400000},
}
CAMPAIGN_GROUP = {
    "id": 613330976,
    "account": "urn:li:sponsoredAccount:508720451",
    "name": "Spring",
    "status": "ACTIVE",
    "objectiveType": "LEAD_GENERATION",
    "runSchedule": {"start": 1709287200000, "end": 1711965600000},
    "totalBudget": {"amount": "5000.00", "currencyCode": "EUR"},
    "changeAuditStamps": STAMPS,
    "servingStatuses": ["RUNNABLE"],
    "backfilled": False,
    "test": False,
}
CAMPAIGN = {
    "id": 252074216,
    "account": "urn:li:sponsoredAccount:508720451",
    "campaignGroup": "urn:li:sponsoredCampaignGroup:613330976",
    "name": "Engineers, DACH",
    "status": "ACTIVE",
    "type": "SPONSORED_UPDATES",
    "costType": "CPM",
    "objectiveType": "LEAD_GENERATION",
    "dailyBudget": {"amount": "50.00", "currencyCode": "EUR"},
    "unitCost": {"amount": "7.25", "currencyCode": "EUR"},
    "runSchedule": {"start": 1709287200000},
}
METRICS = {"impressions": 19464, "clicks": 106, "externalWebsiteConversions": 4, "oneClickLeads": 2}
NATIVE_DAY = {
    "dateRange": {
        "start": {"year": 2024, "month": 3, "day": 5},
        "end": {"year": 2024, "month": 3, "day": 5},
    },
    "sponsoredAccount": "urn:li:sponsoredAccount:508720451",
    "costInLocalCurrency": "99.99999999999996",
    "conversionValueInLocalCurrency": "0.0",
    "jobApplications": "0",
    **METRICS,
}
AIRBYTE_DAY = {
    "start_date": "2024-03-05",
    "end_date": "2024-03-05",
    "costInLocalCurrency": -2e-18,
    **{name: float(value) for name, value in METRICS.items()},
}
CREATIVE_URN = "urn:li:sponsoredCreative:287513206"
CAMPAIGN_URN = "urn:li:sponsoredCampaign:252074216"
GROUP_URN = "urn:li:sponsoredCampaignGroup:613330976"
RECORDS = [
    ("campaign_groups", "native", CAMPAIGN_GROUP),
    ("campaigns", "native", {**CAMPAIGN, "changeAuditStamps": STAMPS}),
    ("campaigns", "airbyte", {**CAMPAIGN, "created": "2024-03-01T10:00:00+00:00"}),
    (
        "ad_analytics",
        "native",
        {**NATIVE_DAY, "pivotValues": [CREATIVE_URN, CAMPAIGN_URN, GROUP_URN]},
    ),
    (
        "ad_analytics",
        "airbyte",
        {**AIRBYTE_DAY, "pivotValues": [CREATIVE_URN], "string_of_pivot_values": CREATIVE_URN},
    ),
    (
        "ad_analytics_by_campaign",
        "native",
        {**NATIVE_DAY, "pivotValues": [CAMPAIGN_URN, GROUP_URN]},
    ),
    (
        "ad_analytics_by_campaign",
        "airbyte",
        {**AIRBYTE_DAY, "pivotValues": [CAMPAIGN_URN], "sponsoredCampaign": "252074216"},
    ),
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


def test_a_creative_row_names_its_ad_group_and_campaign_when_three_pivots_were_asked_for() -> None:
    contract = BY_OBJECT["ad_analytics"]
    record = {**NATIVE_DAY, "pivotValues": [CREATIVE_URN, CAMPAIGN_URN, GROUP_URN]}

    read = [read_text(contract, f"{level}_urn", record) for level in ("ad", "ad_group", "campaign")]

    assert read == [CREATIVE_URN, CAMPAIGN_URN, GROUP_URN]


def test_costs_stay_decimal_strings_in_the_wire_form() -> None:
    record = BY_OBJECT["ad_analytics"].versions[0].record.model_validate(NATIVE_DAY)

    assert record.model_dump()["costInLocalCurrency"] == "99.99999999999996"
