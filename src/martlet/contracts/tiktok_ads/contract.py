"""What Martlet reads from TikTok's Business API."""

from martlet.contracts.base import Column, ColumnType, ObjectContract, Scope, Version
from martlet.contracts.tiktok_ads import airbyte, native


def _column(name: str, column_type: ColumnType = "varchar", *fields: str) -> Column:
    """Return a column read from the first of `fields` that is not null, or from its own name."""
    return Column(name, column_type, tuple(f"$.{field}" for field in fields or (name,)))


def _metric(name: str, column_type: ColumnType, field: str | None = None) -> Column:
    return _column(name, column_type, f"metrics.{field or name}")


_CAMPAIGNS = ObjectContract(
    object="campaigns",
    versions=(Version("native", native.Campaign), Version("airbyte", airbyte.Campaign)),
    columns=(
        _column("campaign_id"),
        _column("account_id", "varchar", "advertiser_id"),
        _column("campaign_name"),
        _column("campaign_type"),
        _column("status", "varchar", "operation_status"),
        _column("secondary_status"),
        _column("objective", "varchar", "objective_type"),
        _column("app_promotion_type"),
        _column("budget", "decimal"),
        _column("budget_mode"),
        _column("is_budget_optimized", "boolean", "budget_optimize_on"),
        _column("bid_type"),
        _column("deep_bid_type"),
        _column("roas_bid", "decimal"),
        _column("optimization_goal"),
        _column("is_smart_performance_campaign", "boolean"),
        _column("is_search_campaign", "boolean"),
        _column("split_test_variable"),
        _column("created_at", "timestamp", "create_time"),
        _column("modified_at", "timestamp", "modify_time"),
    ),
    cursor="modified_at",
    key=("campaign_id",),
    needed=("campaign_id",),
)

_AD_GROUPS = ObjectContract(
    object="ad_groups",
    versions=(Version("native", native.AdGroup), Version("airbyte", airbyte.AdGroup)),
    columns=(
        _column("ad_group_id", "varchar", "adgroup_id"),
        _column("campaign_id"),
        _column("account_id", "varchar", "advertiser_id"),
        _column("ad_group_name", "varchar", "adgroup_name"),
        _column("campaign_name"),
        _column("status", "varchar", "operation_status"),
        _column("secondary_status"),
        _column("placement_type"),
        _column("promotion_type"),
        _column("optimization_goal"),
        _column("optimization_event"),
        _column("billing_event"),
        _column("budget", "decimal"),
        _column("budget_mode"),
        _column("bid_type"),
        _column("bid_price", "decimal"),
        _column("conversion_bid_price", "decimal"),
        _column("roas_bid", "decimal"),
        _column("pacing"),
        _column("schedule_type"),
        _column("start_at", "timestamp", "schedule_start_time"),
        _column("end_at", "timestamp", "schedule_end_time"),
        _column("pixel_id"),
        _column("app_id"),
        _column("gender"),
        _column("age_groups", "json"),
        _column("languages", "json"),
        _column("location_ids", "json"),
        _column("placements", "json"),
        _column("audience_ids", "json"),
        _column("created_at", "timestamp", "create_time"),
        _column("modified_at", "timestamp", "modify_time"),
    ),
    cursor="modified_at",
    key=("ad_group_id",),
    needed=("ad_group_id", "campaign_id"),
)

_ADS = ObjectContract(
    object="ads",
    versions=(Version("native", native.Ad), Version("airbyte", airbyte.Ad)),
    columns=(
        _column("ad_id"),
        _column("ad_group_id", "varchar", "adgroup_id"),
        _column("campaign_id"),
        _column("account_id", "varchar", "advertiser_id"),
        _column("ad_name"),
        _column("ad_group_name", "varchar", "adgroup_name"),
        _column("campaign_name"),
        _column("status", "varchar", "operation_status"),
        _column("secondary_status"),
        _column("ad_format"),
        _column("ad_text"),
        _column("call_to_action"),
        _column("landing_page_url"),
        _column("display_name"),
        _column("creative_type"),
        _column("video_id"),
        _column("tiktok_item_id"),
        _column("identity_id"),
        _column("identity_type"),
        _column("deeplink"),
        _column("is_automated_creative", "boolean", "is_aco"),
        _column("image_ids", "json"),
        _column("utm_params", "json"),
        _column("created_at", "timestamp", "create_time"),
        _column("modified_at", "timestamp", "modify_time"),
    ),
    cursor="modified_at",
    key=("ad_id",),
    needed=("ad_id", "ad_group_id", "campaign_id"),
)

_ADS_REPORTS_DAILY = ObjectContract(
    object="ads_reports_daily",
    versions=(Version("native", native.AdReportDay), Version("airbyte", airbyte.AdReportDay)),
    columns=(
        _column("report_date", "date", "dimensions.stat_time_day", "stat_time_day"),
        _column(
            "account_id",
            "varchar",
            "dimensions.advertiser_id",
            "metrics.advertiser_id",
            "advertiser_id",
        ),
        _column(
            "campaign_id", "varchar", "metrics.campaign_id", "dimensions.campaign_id", "campaign_id"
        ),
        _column(
            "ad_group_id", "varchar", "metrics.adgroup_id", "dimensions.adgroup_id", "adgroup_id"
        ),
        _column("ad_id", "varchar", "dimensions.ad_id", "ad_id"),
        _metric("campaign_name", "varchar"),
        _metric("ad_group_name", "varchar", "adgroup_name"),
        _metric("ad_name", "varchar"),
        _metric("placement_type", "varchar"),
        _metric("spend", "decimal"),
        _metric("cash_spend", "decimal"),
        _metric("voucher_spend", "decimal"),
        _metric("currency", "varchar"),
        _metric("impressions", "bigint"),
        _metric("clicks", "bigint"),
        _metric("reach", "bigint"),
        _metric("conversions", "decimal", "conversion"),
        _metric("real_time_conversions", "decimal", "real_time_conversion"),
        _metric("results", "decimal", "result"),
        _metric("app_purchase_value", "decimal", "total_purchase_value"),
        _metric("website_purchases", "decimal", "complete_payment"),
        _metric("value_per_website_purchase", "decimal", "value_per_complete_payment"),
        _metric("onsite_purchases", "decimal", "onsite_shopping"),
        _metric("onsite_purchase_value", "decimal", "total_onsite_shopping_value"),
        _metric("likes", "bigint"),
        _metric("comments", "bigint"),
        _metric("shares", "bigint"),
        _metric("follows", "bigint"),
        _metric("profile_visits", "bigint"),
        _metric("video_plays", "bigint", "video_play_actions"),
        _metric("video_watched_2s", "bigint"),
        _metric("video_watched_6s", "bigint"),
        _metric("video_completions", "bigint", "video_views_p100"),
    ),
    cursor="report_date",
    key=("report_date", "ad_id"),
    load_mode="replace_scope",
    scope=Scope(account="account_id", date="report_date"),
    needed=("report_date", "campaign_id", "ad_id", "spend"),
)

CONTRACTS: tuple[ObjectContract, ...] = (_CAMPAIGNS, _AD_GROUPS, _ADS, _ADS_REPORTS_DAILY)
