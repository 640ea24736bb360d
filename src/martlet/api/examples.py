"""Questions that run against the demo tenant, shown in the OpenAPI document."""

from typing import Any

TENANT = "tyrell_corp"
MODEL = "ad_performance"

QUERIES: dict[str, dict[str, Any]] = {
    "spend_by_platform": {
        "summary": "What each platform cost in June, the dearest first",
        "value": {
            "model": "ad_performance",
            "measures": ["spend", "clicks", "cpc"],
            "dimensions": ["source_platform"],
            "time": {"start": "2026-06-01", "end": "2026-06-30"},
            "order": ["-spend"],
        },
    },
    "revenue_by_week": {
        "summary": "Orders and revenue, week by week, with totals",
        "value": {
            "model": "orders",
            "measures": ["order_count", "revenue", "aov"],
            "time": {"start": "2026-06-01", "end": "2026-06-30", "grain": "week"},
            "totals": True,
        },
    },
    "campaigns_of_one_platform": {
        "summary": "Campaigns of one platform with more than 100 clicks",
        "value": {
            "model": "ad_performance",
            "measures": ["spend", "clicks", "ctr"],
            "dimensions": ["campaigns.campaign_name"],
            "filters": [["source_platform", "eq", "google_ads"], ["clicks", "gt", 100]],
            "limit": 20,
        },
    },
    "marketing_efficiency": {
        "summary": "What marketing cost and brought, in euros",
        "value": {
            "model": "blended",
            "measures": ["spend", "revenue", "mer", "cac"],
            "time": {"start": "2026-06-01", "end": "2026-06-30", "grain": "day"},
            "convert_to": "EUR",
        },
    },
}
COMPARISONS: dict[str, dict[str, Any]] = {
    "this_half_and_the_last": {
        "summary": "Sessions of the second half of June against the days before",
        "value": {
            "model": "sessions",
            "measures": ["session_count", "session_conversion_rate"],
            "dimensions": ["traffic_source"],
            "current": {"start": "2026-06-16", "end": "2026-06-30"},
        },
    }
}
VALUE_SEARCHES: dict[str, dict[str, Any]] = {
    "campaign_names": {
        "summary": "Names of campaigns that hold a text",
        "value": {
            "model": "campaigns",
            "dimension": "campaign_name",
            "search": "a",
            "limit": 10,
        },
    }
}
