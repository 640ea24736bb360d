"""Google's contracts accept both published shapes, and their columns find what they need."""

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.contracts.base import ObjectContract
from martlet.contracts.google_ads.contract import CONTRACTS

REPOSITORY = Path(__file__).parents[2]
REAL_RECORDS = Path(
    os.environ.get("MARTLET_REAL_RECORDS", REPOSITORY.parent / "shared" / "real_records")
)
BY_OBJECT = {contract.object: contract for contract in CONTRACTS}

NATIVE: dict[str, dict[str, Any]] = {
    "customers": {
        "customer": {
            "resourceName": "customers/4651612872",
            "id": "4651612872",
            "descriptiveName": "Demo account",
            "currencyCode": "EUR",
            "timeZone": "Europe/Berlin",
            "manager": False,
        },
    },
    "campaigns": {
        "customer": {"id": "4651612872", "currencyCode": "EUR"},
        "campaign": {
            "resourceName": "customers/4651612872/campaigns/20643300404",
            "id": "20643300404",
            "name": "Brand",
            "status": "ENABLED",
            "advertisingChannelType": "PERFORMANCE_MAX",
            "startDateTime": "2024-03-01 00:00:00",
            "manualCpm": {},
        },
        "campaignBudget": {"amountMicros": "25000000", "explicitlyShared": False},
        "metrics": {"costMicros": "168080000", "conversions": 6.623899, "clicks": "30"},
        "segments": {"date": "2024-03-01", "adNetworkType": "SEARCH"},
    },
    "ad_groups": {
        "campaign": {"id": "20643300404"},
        "adGroup": {"id": "155311392438", "name": "Brand, exact", "cpcBidMicros": "1500000"},
    },
    "ads": {
        "adGroup": {"id": "155311392438"},
        "adGroupAd": {
            "status": "ENABLED",
            "policySummary": {"approvalStatus": "APPROVED", "policyTopicEntries": []},
            "ad": {
                "id": "676665180945",
                "type": "RESPONSIVE_SEARCH_AD",
                "finalUrls": ["https://shop.example/"],
                "responsiveSearchAd": {"headlines": [{"text": "Shoes"}]},
            },
        },
    },
    "ad_performance": {
        "customer": {"id": "4651612872", "currencyCode": "EUR", "timeZone": "Europe/Berlin"},
        "campaign": {"id": "20643300404", "name": "Brand"},
        "adGroup": {"id": "155311392438"},
        "adGroupAd": {"ad": {"id": "676665180945"}, "status": "ENABLED"},
        "metrics": {
            "costMicros": "168080000",
            "impressions": "163",
            "clicks": "30",
            "conversions": 6.623899,
            "conversionsValue": 662.3899,
            "interactionEventTypes": ["CLICK"],
            "videoQuartileP25Rate": 0.0,
        },
        "segments": {"date": "2023-12-31", "adNetworkType": "SEARCH", "device": "MOBILE"},
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


def test_a_dotted_field_is_read_from_both_published_shapes() -> None:
    contract = BY_OBJECT["campaigns"]
    dotted = {"campaign.id": 20643300404, "campaign.start_date_time": "2024-03-01 00:00:00"}

    landed = unpacked(contract, record_of(contract, "airbyte", dotted))
    native = unpacked(contract, NATIVE["campaigns"])

    assert landed["campaign_id"] == native["campaign_id"] == "20643300404"
    assert landed["start_date"] == native["start_date"]


def test_a_campaign_of_an_older_api_version_still_has_its_start_date() -> None:
    older = {"campaign": {"id": "1", "startDate": "2024-03-01"}}

    assert unpacked(BY_OBJECT["campaigns"], older)["start_date"] == "2024-03-01"


def test_conversions_keep_their_fraction_and_cost_stays_in_micros() -> None:
    columns = unpacked(BY_OBJECT["ad_performance"], NATIVE["ad_performance"])

    assert columns["conversions"] == "6.623899"
    assert columns["cost_micros"] == "168080000"


def test_real_rows_from_airbyte_yield_every_needed_column() -> None:
    path = REAL_RECORDS / "google_ads.jsonl"
    if not path.exists():
        pytest.skip(f"no real records beside the checkout ({path.name})")
    for line in path.read_text().splitlines():
        landed = json.loads(line)
        contract = BY_OBJECT[landed["object"]]

        validated = record_of(contract, "airbyte", landed["data"])

        assert validated == landed["data"]
        assert set(contract.key + contract.needed) <= set(unpacked(contract, validated))
