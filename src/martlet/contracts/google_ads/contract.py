"""What Martlet reads from the Google Ads API."""

from martlet.contracts.base import Column, ColumnType, ObjectContract, Scope, Version
from martlet.contracts.google_ads import airbyte, airbyte_ad, native


def _column(name: str, column_type: ColumnType, *fields: str) -> Column:
    """Return a column read from fields named as queries name them, e.g. `metrics.cost_micros`.

    The wire form nests them in camel case; Airbyte lands each under its dotted name.
    """
    return Column(name, column_type, (*map(_wire_path, fields), *(f'$."{f}"' for f in fields)))


def _wire_path(field: str) -> str:
    def camel(part: str) -> str:
        first, *rest = part.split("_")
        return first + "".join(word.capitalize() for word in rest)

    return "$." + ".".join(camel(part) for part in field.split("."))


_ACCOUNT_ID = _column("account_id", "varchar", "customer.id")
_CURRENCY = _column("currency", "varchar", "customer.currency_code")
_TIME_ZONE = _column("time_zone", "varchar", "customer.time_zone")
_CAMPAIGN_ID = _column("campaign_id", "varchar", "campaign.id")
_AD_GROUP_ID = _column("ad_group_id", "varchar", "ad_group.id")
_AD_ID = _column("ad_id", "varchar", "ad_group_ad.ad.id")
_REPORT_DATE = _column("report_date", "date", "segments.date")
_HOUR = _column("hour", "bigint", "segments.hour")
_AD_NETWORK_TYPE = _column("ad_network_type", "varchar", "segments.ad_network_type")
_CORE_METRICS = (
    _column("cost_micros", "bigint", "metrics.cost_micros"),
    _column("impressions", "bigint", "metrics.impressions"),
    _column("clicks", "bigint", "metrics.clicks"),
    _column("conversions", "decimal", "metrics.conversions"),
    _column("conversion_value", "decimal", "metrics.conversions_value"),
    _column("interactions", "bigint", "metrics.interactions"),
)

_CUSTOMERS = ObjectContract(
    object="customers",
    versions=(Version("native", native.CustomerRow), Version("airbyte", airbyte.Customer)),
    columns=(
        _column("customer_id", "varchar", "customer.id"),
        _column("account_name", "varchar", "customer.descriptive_name"),
        _CURRENCY,
        _TIME_ZONE,
        _column("status", "varchar", "customer.status"),
        _column("is_manager", "boolean", "customer.manager"),
        _column("is_test_account", "boolean", "customer.test_account"),
        _column("is_auto_tagging_enabled", "boolean", "customer.auto_tagging_enabled"),
        _column("has_partners_badge", "boolean", "customer.has_partners_badge"),
        _column("optimization_score", "double", "customer.optimization_score"),
        _column("tracking_url_template", "varchar", "customer.tracking_url_template"),
        _column("final_url_suffix", "varchar", "customer.final_url_suffix"),
        _column("resource_name", "varchar", "customer.resource_name"),
        _REPORT_DATE,
    ),
    cursor=None,
    key=("customer_id",),
    optional_key=("report_date",),
    needed=("customer_id",),
)

_CAMPAIGNS = ObjectContract(
    object="campaigns",
    versions=(Version("native", native.CampaignRow), Version("airbyte", airbyte.Campaign)),
    columns=(
        _REPORT_DATE,
        _HOUR,
        _AD_NETWORK_TYPE,
        _ACCOUNT_ID,
        _CURRENCY,
        _CAMPAIGN_ID,
        _column("campaign_name", "varchar", "campaign.name"),
        _column("campaign_resource_name", "varchar", "campaign.resource_name"),
        _column("status", "varchar", "campaign.status"),
        _column("serving_status", "varchar", "campaign.serving_status"),
        _column("objective", "varchar", "campaign.advertising_channel_type"),
        _column("objective_subtype", "varchar", "campaign.advertising_channel_sub_type"),
        _column("bidding_strategy_type", "varchar", "campaign.bidding_strategy_type"),
        _column("start_date", "date", "campaign.start_date_time", "campaign.start_date"),
        _column("end_date", "date", "campaign.end_date_time", "campaign.end_date"),
        _column("daily_budget_micros", "bigint", "campaign_budget.amount_micros"),
        _column("budget_resource_name", "varchar", "campaign.campaign_budget"),
        _column("budget_period", "varchar", "campaign_budget.period"),
        _column("is_budget_shared", "boolean", "campaign_budget.explicitly_shared"),
        _column("experiment_type", "varchar", "campaign.experiment_type"),
        _column("payment_mode", "varchar", "campaign.payment_mode"),
        _column("labels", "json", "campaign.labels"),
        *_CORE_METRICS,
    ),
    cursor=None,
    key=("campaign_id",),
    optional_key=("report_date", "ad_network_type", "hour"),
    load_mode="replace_scope",  # a report where it has days; the entity itself has none and stays
    scope=Scope(account="account_id", date="report_date"),
    needed=("campaign_id",),
)

_AD_GROUPS = ObjectContract(
    object="ad_groups",
    versions=(Version("native", native.AdGroupRow), Version("airbyte", airbyte.AdGroup)),
    columns=(
        _REPORT_DATE,
        _ACCOUNT_ID,
        _CAMPAIGN_ID,
        _AD_GROUP_ID,
        _column("ad_group_name", "varchar", "ad_group.name"),
        _column("ad_group_resource_name", "varchar", "ad_group.resource_name"),
        _column("status", "varchar", "ad_group.status"),
        _column("ad_group_type", "varchar", "ad_group.type"),
        _column("ad_rotation_mode", "varchar", "ad_group.ad_rotation_mode"),
        _column("cpc_bid_micros", "bigint", "ad_group.cpc_bid_micros"),
        _column("cpm_bid_micros", "bigint", "ad_group.cpm_bid_micros"),
        _column("target_cpa_micros", "bigint", "ad_group.target_cpa_micros"),
        _column("target_roas", "double", "ad_group.target_roas"),
        _column("labels", "json", "ad_group.labels"),
        _column("cost_micros", "bigint", "metrics.cost_micros"),
    ),
    cursor=None,
    key=("ad_group_id",),
    optional_key=("report_date",),
    needed=("ad_group_id", "campaign_id"),
)

_ADS = ObjectContract(
    object="ads",
    versions=(Version("native", native.AdRow), Version("airbyte", airbyte_ad.Ad)),
    columns=(
        _REPORT_DATE,
        _ACCOUNT_ID,
        _CAMPAIGN_ID,
        _AD_GROUP_ID,
        _AD_ID,
        _column("ad_name", "varchar", "ad_group_ad.ad.name"),
        _column("ad_type", "varchar", "ad_group_ad.ad.type"),
        _column("ad_resource_name", "varchar", "ad_group_ad.resource_name"),
        _column("status", "varchar", "ad_group_ad.status"),
        _column("ad_strength", "varchar", "ad_group_ad.ad_strength"),
        _column("approval_status", "varchar", "ad_group_ad.policy_summary.approval_status"),
        _column("review_status", "varchar", "ad_group_ad.policy_summary.review_status"),
        _column("final_urls", "json", "ad_group_ad.ad.final_urls"),
        _column("display_url", "varchar", "ad_group_ad.ad.display_url"),
        _column("tracking_url_template", "varchar", "ad_group_ad.ad.tracking_url_template"),
        _column("headlines", "json", "ad_group_ad.ad.responsive_search_ad.headlines"),
        _column("descriptions", "json", "ad_group_ad.ad.responsive_search_ad.descriptions"),
        _column("labels", "json", "ad_group_ad.labels"),
    ),
    cursor=None,
    key=("ad_group_id", "ad_id"),
    optional_key=("report_date",),
    needed=("ad_group_id", "ad_id"),
)

_AD_PERFORMANCE = ObjectContract(
    object="ad_performance",
    versions=(
        Version("native", native.AdPerformanceRow),
        Version("airbyte", airbyte.AdPerformance),
    ),
    columns=(
        _REPORT_DATE,
        _HOUR,
        _AD_NETWORK_TYPE,
        _column("device", "varchar", "segments.device"),
        _ACCOUNT_ID,
        _column("account_name", "varchar", "customer.descriptive_name"),
        _CURRENCY,
        _TIME_ZONE,
        _CAMPAIGN_ID,
        _column("campaign_name", "varchar", "campaign.name"),
        _column("campaign_status", "varchar", "campaign.status"),
        _AD_GROUP_ID,
        _column("ad_group_name", "varchar", "ad_group.name"),
        _column("ad_group_status", "varchar", "ad_group.status"),
        _AD_ID,
        _column("ad_name", "varchar", "ad_group_ad.ad.name"),
        _column("ad_type", "varchar", "ad_group_ad.ad.type"),
        _column("ad_status", "varchar", "ad_group_ad.status"),
        *_CORE_METRICS,
        _column("all_conversions", "decimal", "metrics.all_conversions"),
        _column("all_conversion_value", "decimal", "metrics.all_conversions_value"),
        _column("view_through_conversions", "bigint", "metrics.view_through_conversions"),
        _column("cross_device_conversions", "decimal", "metrics.cross_device_conversions"),
        _column("video_views", "bigint", "metrics.video_trueview_views"),
    ),
    cursor=None,
    key=("report_date", "account_id", "campaign_id", "ad_group_id", "ad_id"),
    optional_key=("ad_network_type", "device", "hour"),
    load_mode="replace_scope",
    scope=Scope(account="account_id", date="report_date"),
    needed=(
        "report_date",
        "account_id",
        "campaign_id",
        "ad_group_id",
        "ad_id",
        "cost_micros",
        "impressions",
        "clicks",
        "conversions",
    ),
)

CONTRACTS: tuple[ObjectContract, ...] = (
    _CUSTOMERS,
    _CAMPAIGNS,
    _AD_GROUPS,
    _ADS,
    _AD_PERFORMANCE,
)
