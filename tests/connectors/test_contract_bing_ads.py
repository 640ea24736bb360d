"""Microsoft's contracts accept both published shapes, and their columns find what they need."""

import json
from typing import Any

import duckdb
import pytest

from martlet.contracts.base import ObjectContract
from martlet.contracts.bing_ads.contract import CONTRACTS

BY_OBJECT = {contract.object: contract for contract in CONTRACTS}

NATIVE: dict[str, dict[str, Any]] = {
    "campaigns": {
        "AccountId": "1350000001",
        "CustomerId": "25000001",
        "Id": "353468743",
        "Name": "Brand",
        "Status": "Active",
        "CampaignType": "Search",
        "BudgetType": "DailyBudgetStandard",
        "DailyBudget": 25.5,
        "BiddingScheme": {"Type": "MaxClicks", "MaxCpc": {"Amount": 1.2}},
        "Languages": ["English"],
        "TimeZone": "PacificTimeUSCanadaTijuana",
    },
    "ad_groups": {
        "AccountId": "1350000001",
        "CampaignId": "353468743",
        "Id": "1256940123456789",
        "Name": "Brand, exact",
        "Status": "Active",
        "CpcBid": {"Amount": 0.85},
        "StartDate": {"Day": 1, "Month": 3, "Year": 2024},
        "EndDate": None,
    },
    "ads": {
        "AccountId": "1350000001",
        "AdGroupId": "1256940123456789",
        "Id": "78559123456789",
        "Type": "ResponsiveSearch",
        "Status": "Active",
        "FinalUrls": ["https://shop.example/"],
        "Headlines": [{"Asset": {"Id": "10", "Text": "Shoes"}, "PinnedField": None}],
    },
    "ad_performance_report": {
        "TimePeriod": "2024-03-01",
        "AccountId": "1350000001",
        "CurrencyCode": "USD",
        "CampaignId": "353468743",
        "AdGroupId": "1256940123456789",
        "AdId": "78559123456789",
        "DeviceType": "Smartphone",
        "Network": "Bing and Yahoo! search",
        "Impressions": "1209",
        "Clicks": "37",
        "Ctr": "3.06%",
        "Spend": "41.87",
        "Conversions": "2",
        "ConversionsQualified": "2.40",
        "Revenue": "180.00",
    },
}


def unpacked(contract: ObjectContract, record: dict[str, Any]) -> dict[str, str]:
    """Return the columns that find a value in the record, as text, read by DuckDB."""
    found = {}
    with duckdb.connect() as connection:
        for column in contract.columns:
            row = connection.execute(
                "select coalesce(" + ", ".join(["?::json ->> ?"] * len(column.paths)) + ", null)",
                [part for path in column.paths for part in (json.dumps(record), path)],
            ).fetchone()
            if row and row[0] is not None:
                found[column.name] = row[0]
    return found


def record_of(contract: ObjectContract, loader: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload after its validation, by wire names."""
    record = next(version.record for version in contract.versions if version.loader == loader)
    return record.model_validate(payload, strict=True).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )


@pytest.mark.parametrize("name", sorted(NATIVE))
def test_a_native_record_survives_validation_and_yields_what_its_object_needs(name: str) -> None:
    contract, payload = BY_OBJECT[name], NATIVE[name]

    validated = record_of(contract, "native", payload)

    assert validated == payload
    assert set(contract.key + contract.needed) <= set(unpacked(contract, validated))


def test_a_list_reads_alike_bare_and_wrapped() -> None:
    contract = BY_OBJECT["ads"]
    wrapped = {"Id": 78559123456789, "FinalUrls": {"string": ["https://shop.example/"]}}

    landed = unpacked(contract, record_of(contract, "airbyte", wrapped))
    native = unpacked(contract, NATIVE["ads"])

    assert json.loads(landed["final_urls"]) == json.loads(native["final_urls"])


def test_a_report_row_from_airbyte_keeps_sixteen_digit_ids() -> None:
    contract = BY_OBJECT["ad_performance_report"]
    landed = {"TimePeriod": "2024-03-01", "AdGroupId": 1256940123456789, "Spend": 41.87}

    columns = unpacked(contract, record_of(contract, "airbyte", landed))

    assert columns["ad_group_id"] == "1256940123456789"
    assert columns["spend"] == "41.87"


def test_rows_of_one_ad_and_day_differ_in_a_key_column() -> None:
    contract = BY_OBJECT["ad_performance_report"]
    phone = NATIVE["ad_performance_report"]
    desktop = {**phone, "DeviceType": "Computer"}

    keys = [
        tuple(unpacked(contract, row).get(name) for name in contract.key + contract.optional_key)
        for row in (phone, desktop)
    ]

    assert keys[0] != keys[1]
