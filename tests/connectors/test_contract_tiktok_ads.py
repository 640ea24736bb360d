"""The TikTok contract reads entities and the daily ad report in the wire form and in Airbyte's."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from martlet.contracts.base import ObjectContract
from martlet.contracts.tiktok_ads.contract import CONTRACTS

BY_OBJECT = {contract.object: contract for contract in CONTRACTS}
REAL_RECORDS = Path(
    os.environ.get(
        "MARTLET_REAL_RECORDS",
        Path(__file__).resolve().parents[2].parent / "shared" / "real_records",
    )
)
IDS = {
    "advertiser_id": 7002238017842757633,
    "campaign_id": 1714073078669329,
    "adgroup_id": 1714073022392322,
    "ad_id": 1714073085256738,
}
IDS_AS_TEXT = {name: str(value) for name, value in IDS.items()}
TIMES = {"create_time": "2024-02-01 08:00:00", "modify_time": "2024-03-04 09:30:00"}
CAMPAIGN: dict[str, object] = {
    "campaign_name": "Spring",
    "operation_status": "ENABLE",
    "secondary_status": "CAMPAIGN_STATUS_ENABLE",
    "objective_type": "WEB_CONVERSIONS",
    "budget": 120.0,
    "budget_mode": "BUDGET_MODE_DAY",
    "budget_optimize_on": True,
    **TIMES,
}
AD_GROUP: dict[str, object] = {
    "adgroup_name": "Women 25-34",
    "operation_status": "ENABLE",
    "budget": 0.0,
    "budget_mode": "BUDGET_MODE_INFINITE",
    "age_groups": ["AGE_25_34"],
    "schedule_start_time": "2024-02-01 00:00:00",
    "actions": [{"action_scene": "VIDEO_RELATED", "action_period": 15}],
    **TIMES,
}
AD: dict[str, object] = {
    "ad_name": "Clip 7",
    "ad_text": "New mugs",
    "operation_status": "DISABLE",
    "landing_page_url": "https://shop.example/mugs",
    "utm_params": [{"key": "utm_source", "value": "tiktok"}],
    **TIMES,
}
METRICS = {
    "campaign_name": "Spring",
    "spend": "20.000",
    "impressions": "3977",
    "clicks": "45",
    "conversion": "3",
    "ctr": "1.13",
    "complete_payment": "2",
    "value_per_complete_payment": "31.50",
    "likes": "36",
}
NATIVE_DAY = {
    "dimensions": {"stat_time_day": "2024-03-05 00:00:00", "ad_id": IDS_AS_TEXT["ad_id"]},
    "metrics": {
        **METRICS,
        "campaign_id": IDS_AS_TEXT["campaign_id"],
        "adgroup_id": IDS_AS_TEXT["adgroup_id"],
        "advertiser_id": IDS_AS_TEXT["advertiser_id"],
        "currency": "EUR",
        "total_purchase_value": "-",
    },
}
AIRBYTE_DAY = {
    "stat_time_day": "2024-03-05 00:00:00",
    "ad_id": IDS["ad_id"],
    "dimensions": {"stat_time_day": "2024-03-05 00:00:00", "ad_id": IDS["ad_id"]},
    "metrics": {**METRICS, "campaign_id": IDS["campaign_id"], "adgroup_id": IDS["adgroup_id"]},
}
LEVELS: dict[str, tuple[dict[str, object], int]] = {
    "campaigns": (CAMPAIGN, 2),
    "ad_groups": (AD_GROUP, 3),
    "ads": (AD, 4),
}
RECORDS = [
    (name, loader, {**record, **dict(list(ids.items())[:count])})
    for name, (record, count) in LEVELS.items()
    for loader, ids in (("native", IDS_AS_TEXT), ("airbyte", IDS))
] + [("ads_reports_daily", "native", NATIVE_DAY), ("ads_reports_daily", "airbyte", AIRBYTE_DAY)]


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


@pytest.mark.parametrize("ids", [IDS, IDS_AS_TEXT])
def test_an_id_beyond_the_precision_of_a_double_keeps_its_last_digit(
    ids: dict[str, object],
) -> None:
    account_id = read_text(BY_OBJECT["campaigns"], "account_id", {**CAMPAIGN, **ids})

    assert account_id == "7002238017842757633"


def test_real_airbyte_records_validate_and_keep_their_values() -> None:
    path = REAL_RECORDS / "tiktok_ads.jsonl"
    if not path.exists():
        pytest.skip("no real records here: MARTLET_REAL_RECORDS names their folder")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    known = [line for line in lines if line["object"] in BY_OBJECT]

    for line in known:
        contract = BY_OBJECT[line["object"]]
        landed = contract.versions[1].record.model_validate(line["data"])

        assert landed.model_dump(exclude_unset=True) == line["data"]
        for name in {*contract.key, *contract.needed}:
            assert read_text(contract, name, line["data"]) is not None, name

    assert {line["object"] for line in known} == {"ads", "ads_reports_daily"}
