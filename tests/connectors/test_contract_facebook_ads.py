"""Meta's contracts accept what the API and Airbyte send, and their columns find it."""

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.contracts.base import ObjectContract
from martlet.contracts.facebook_ads.contract import CONTRACTS
from martlet.contracts.instagram_ads.contract import CONTRACTS as INSTAGRAM_CONTRACTS

REPOSITORY = Path(__file__).parents[2]
REAL_RECORDS = Path(
    os.environ.get("MARTLET_REAL_RECORDS", REPOSITORY.parent / "shared" / "real_records")
)
BY_OBJECT = {contract.object: contract for contract in CONTRACTS}

NATIVE: dict[str, dict[str, Any]] = {
    "ads": {
        "id": "23846765228310398",
        "name": "Spring, still image",
        "account_id": "212551616838260",
        "campaign_id": "23846765228240398",
        "adset_id": "23846765228280398",
        "status": "ACTIVE",
        "effective_status": "CAMPAIGN_PAUSED",
        "configured_status": "ACTIVE",
        "creative": {"id": "23846765228300398"},
        "tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": ["70"]}],
        "created_time": "2021-02-09T14:02:49-0800",
        "updated_time": "2021-02-10T01:00:00-0800",
    },
    "ad_sets": {
        "id": "23846765228280398",
        "name": "Lookalikes",
        "account_id": "212551616838260",
        "campaign_id": "23846765228240398",
        "status": "ACTIVE",
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "daily_budget": "2500",
        "lifetime_budget": "0",
        "bid_amount": 120,
        "promoted_object": {"pixel_id": "70", "custom_event_type": "PURCHASE"},
        "start_time": "2021-02-09T14:02:49-0800",
    },
    "campaigns": {
        "id": "23846765228240398",
        "name": "Spring",
        "account_id": "212551616838260",
        "objective": "OUTCOME_SALES",
        "status": "PAUSED",
        "daily_budget": "10000",
        "start_time": "2021-02-09T14:02:49-0800",
        "stop_time": "2021-03-09T14:02:49-0800",
        "special_ad_categories": [],
    },
    "facebook_insights": {
        "date_start": "2021-03-01",
        "date_stop": "2021-03-01",
        "account_id": "212551616838260",
        "account_currency": "USD",
        "campaign_id": "23846765228240398",
        "adset_id": "23846765228280398",
        "ad_id": "23846765228310398",
        "spend": "1.09",
        "impressions": "839",
        "clicks": "1",
        "actions": [{"action_type": "purchase", "value": "2", "7d_click": "1", "1d_view": "1"}],
        "action_values": [{"action_type": "purchase", "value": "59.90"}],
        "publisher_platform": "facebook",
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


def test_an_insight_keeps_money_and_long_ids_to_the_last_digit() -> None:
    columns = unpacked(BY_OBJECT["facebook_insights"], NATIVE["facebook_insights"])

    assert columns["spend"] == "1.09"
    assert columns["ad_id"] == "23846765228310398"
    assert json.loads(columns["actions"])[0]["7d_click"] == "1"


def test_a_campaign_without_its_own_budget_has_no_budget_column() -> None:
    payload = {k: v for k, v in NATIVE["campaigns"].items() if k != "daily_budget"}

    assert "daily_budget_cents" not in unpacked(BY_OBJECT["campaigns"], payload)


def test_instagram_publishes_the_objects_of_facebook() -> None:
    assert INSTAGRAM_CONTRACTS is CONTRACTS


def test_real_insights_from_airbyte_yield_every_needed_column() -> None:
    path = REAL_RECORDS / "facebook_ads.jsonl"
    if not path.exists():
        pytest.skip(f"no real records beside the checkout ({path.name})")
    for line in path.read_text().splitlines():
        landed = json.loads(line)
        contract = BY_OBJECT[landed["object"]]

        validated = record_of(contract, "airbyte", landed["data"])

        assert validated == landed["data"]
        assert set(contract.key + contract.needed) <= set(unpacked(contract, validated))
