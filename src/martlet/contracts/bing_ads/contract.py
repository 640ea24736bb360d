"""What Martlet reads from Microsoft Advertising."""

from martlet.contracts.base import Column, ColumnType, ObjectContract, Scope, Version
from martlet.contracts.bing_ads import airbyte, native


def _column(name: str, field: str, column_type: ColumnType = "varchar") -> Column:
    """Return a column read from one field, which both published shapes name alike."""
    return Column(name, column_type, (f"$.{field}",))


def _list_column(name: str, field: str, wrapper: str) -> Column:
    """Return a list that REST sends bare and SOAP (and so Airbyte) wraps in an object.

    The wrapped path stands first: the bare one would find the wrapper itself.
    """
    return Column(name, "json", (f"$.{field}.{wrapper}", f"$.{field}"))


_CAMPAIGNS = ObjectContract(
    object="campaigns",
    versions=(Version("native", native.Campaign), Version("airbyte", airbyte.Campaign)),
    columns=(
        _column("account_id", "AccountId"),
        _column("customer_id", "CustomerId"),
        _column("campaign_id", "Id"),
        _column("campaign_name", "Name"),
        _column("status", "Status"),
        _column("objective", "CampaignType"),
        _column("objective_subtype", "SubType"),
        _column("start_date", "StartDate", "date"),
        _column("end_date", "EndDate", "date"),
        _column("daily_budget", "DailyBudget", "decimal"),
        _column("budget_type", "BudgetType"),
        _column("budget_id", "BudgetId"),
        _column("time_zone", "TimeZone"),
        _column("bid_strategy", "BiddingScheme.Type"),
        _column("experiment_id", "ExperimentId"),
        _column("tracking_url_template", "TrackingUrlTemplate"),
        _column("final_url_suffix", "FinalUrlSuffix"),
        _list_column("languages", "Languages", "string"),
        _list_column("settings", "Settings", "Setting"),
    ),
    cursor=None,
    key=("campaign_id",),
    needed=("campaign_id",),
)

_AD_GROUPS = ObjectContract(
    object="ad_groups",
    versions=(Version("native", native.AdGroup), Version("airbyte", airbyte.AdGroup)),
    columns=(
        _column("account_id", "AccountId"),
        _column("customer_id", "CustomerId"),
        _column("campaign_id", "CampaignId"),
        _column("ad_group_id", "Id"),
        _column("ad_group_name", "Name"),
        _column("status", "Status"),
        _column("ad_group_type", "AdGroupType"),
        _column("network", "Network"),
        _column("language", "Language"),
        _column("cpc_bid", "CpcBid.Amount", "decimal"),
        _column("cpm_bid", "CpmBid.Amount", "decimal"),
        _column("cpv_bid", "CpvBid.Amount", "decimal"),
        _column("bid_strategy", "BiddingScheme.InheritedBidStrategyType"),
        _column("start_date_parts", "StartDate", "json"),
        _column("end_date_parts", "EndDate", "json"),
        _column("tracking_url_template", "TrackingUrlTemplate"),
    ),
    cursor=None,
    key=("ad_group_id",),
    needed=("ad_group_id",),
)

_ADS = ObjectContract(
    object="ads",
    versions=(Version("native", native.Ad), Version("airbyte", airbyte.Ad)),
    columns=(
        _column("account_id", "AccountId"),
        _column("customer_id", "CustomerId"),
        _column("ad_group_id", "AdGroupId"),
        _column("ad_id", "Id"),
        _column("ad_type", "Type"),
        _column("status", "Status"),
        _column("editorial_status", "EditorialStatus"),
        _column("device_preference", "DevicePreference"),
        _column("business_name", "BusinessName"),
        _column("headline", "Headline"),
        _column("title_part_1", "TitlePart1"),
        _column("title_part_2", "TitlePart2"),
        _column("title_part_3", "TitlePart3"),
        _column("text", "Text"),
        _column("domain", "Domain"),
        _list_column("final_urls", "FinalUrls", "string"),
        _list_column("headlines", "Headlines", "AssetLink"),
        _list_column("descriptions", "Descriptions", "AssetLink"),
    ),
    cursor=None,
    key=("ad_id",),
    needed=("ad_id",),
)

_AD_PERFORMANCE_REPORT = ObjectContract(
    object="ad_performance_report",
    versions=(Version("native", native.AdPerformance), Version("airbyte", airbyte.AdPerformance)),
    columns=(
        _column("report_date", "TimePeriod", "date"),
        _column("account_id", "AccountId"),
        _column("account_name", "AccountName"),
        _column("currency", "CurrencyCode"),
        _column("campaign_id", "CampaignId"),
        _column("campaign_name", "CampaignName"),
        _column("campaign_type", "CampaignType"),
        _column("ad_group_id", "AdGroupId"),
        _column("ad_group_name", "AdGroupName"),
        _column("ad_id", "AdId"),
        _column("ad_distribution", "AdDistribution"),
        _column("device_type", "DeviceType"),
        _column("device_os", "DeviceOS"),
        _column("language", "Language"),
        _column("network", "Network"),
        _column("top_vs_other", "TopVsOther"),
        _column("bid_match_type", "BidMatchType"),
        _column("delivered_match_type", "DeliveredMatchType"),
        _column("spend", "Spend", "decimal"),
        _column("impressions", "Impressions", "bigint"),
        _column("clicks", "Clicks", "bigint"),
        _column("conversions", "Conversions", "decimal"),
        _column("conversions_qualified", "ConversionsQualified", "decimal"),
        _column("conversion_value", "Revenue", "decimal"),
        _column("all_conversions", "AllConversions", "decimal"),
        _column("all_conversions_qualified", "AllConversionsQualified", "decimal"),
        _column("all_conversion_value", "AllRevenue", "decimal"),
        _column("view_through_conversions", "ViewThroughConversions", "bigint"),
        _column("assists", "Assists", "bigint"),
    ),
    cursor=None,
    key=("report_date", "account_id", "campaign_id", "ad_group_id", "ad_id"),
    optional_key=(
        "currency",
        "ad_distribution",
        "device_type",
        "language",
        "network",
        "device_os",
        "top_vs_other",
        "bid_match_type",
        "delivered_match_type",
    ),
    load_mode="replace_scope",
    scope=Scope(account="account_id", date="report_date"),
    needed=(
        "report_date",
        "account_id",
        "campaign_id",
        "ad_group_id",
        "ad_id",
        "spend",
        "impressions",
        "clicks",
        "conversions",
    ),
)

CONTRACTS: tuple[ObjectContract, ...] = (_CAMPAIGNS, _AD_GROUPS, _ADS, _AD_PERFORMANCE_REPORT)
