"""What Martlet reads from LinkedIn's Marketing API, in the words of the other ad platforms.

LinkedIn's campaign group is a campaign here, its campaign an ad group, its creative an ad.
References between entities are URNs and keep the suffix `_urn` until an engine strips them.
"""

from martlet.contracts.base import Column, ColumnType, ObjectContract, Scope, Version
from martlet.contracts.linkedin_ads import airbyte, native


def _column(name: str, column_type: ColumnType, *fields: str) -> Column:
    """Return a column read from the first of `fields` that is not null."""
    return Column(name, column_type, tuple(f"$.{field}" for field in fields))


_CAMPAIGN_GROUPS = ObjectContract(
    object="campaign_groups",
    versions=(Version("native", native.CampaignGroup),),
    columns=(
        _column("campaign_id", "varchar", "id"),
        _column("account_urn", "varchar", "account"),
        _column("campaign_name", "varchar", "name"),
        _column("status", "varchar", "status"),
        _column("objective", "varchar", "objectiveType"),
        _column("start_at", "epoch_ms", "runSchedule.start"),
        _column("end_at", "epoch_ms", "runSchedule.end"),
        _column("daily_budget", "decimal", "dailyBudget.amount"),
        _column("total_budget", "decimal", "totalBudget.amount"),
        _column("currency", "varchar", "totalBudget.currencyCode", "dailyBudget.currencyCode"),
        _column("budget_strategy", "varchar", "budgetOptimization.budgetOptimizationStrategy"),
        _column("created_at", "epoch_ms", "changeAuditStamps.created.time"),
        _column("modified_at", "epoch_ms", "changeAuditStamps.lastModified.time"),
        _column("is_test", "boolean", "test"),
        _column("is_backfilled", "boolean", "backfilled"),
        _column("serving_statuses", "json", "servingStatuses"),
        _column("allowed_campaign_types", "json", "allowedCampaignTypes"),
    ),
    cursor="modified_at",
    key=("campaign_id",),
    needed=("campaign_id",),
)

_CAMPAIGNS = ObjectContract(
    object="campaigns",
    versions=(Version("native", native.Campaign), Version("airbyte", airbyte.Campaign)),
    columns=(
        _column("ad_group_id", "varchar", "id"),
        _column("campaign_urn", "varchar", "campaignGroup"),
        _column("account_urn", "varchar", "account"),
        _column("ad_group_name", "varchar", "name"),
        _column("status", "varchar", "status"),
        _column("objective", "varchar", "objectiveType"),
        _column("ad_group_type", "varchar", "type"),
        _column("ad_format", "varchar", "format"),
        _column("start_at", "epoch_ms", "runSchedule.start"),
        _column("end_at", "epoch_ms", "runSchedule.end"),
        _column("daily_budget", "decimal", "dailyBudget.amount"),
        _column("total_budget", "decimal", "totalBudget.amount"),
        _column("bid_amount", "decimal", "unitCost.amount"),
        _column(
            "currency",
            "varchar",
            "dailyBudget.currencyCode",
            "totalBudget.currencyCode",
            "unitCost.currencyCode",
        ),
        _column("cost_type", "varchar", "costType"),
        _column("optimization_target", "varchar", "optimizationTargetType"),
        _column("pacing_strategy", "varchar", "pacingStrategy"),
        _column("is_offsite_delivery", "boolean", "offsiteDeliveryEnabled"),
        _column("is_audience_expansion", "boolean", "audienceExpansionEnabled"),
        _column("created_at", "epoch_ms", "changeAuditStamps.created.time", "created"),
        _column("modified_at", "epoch_ms", "changeAuditStamps.lastModified.time", "lastModified"),
        _column("is_test", "boolean", "test"),
        _column("locale", "json", "locale"),
        _column("serving_statuses", "json", "servingStatuses"),
        _column("targeting_criteria", "json", "targetingCriteria"),
    ),
    cursor="modified_at",
    key=("ad_group_id",),
    needed=("ad_group_id", "campaign_urn"),
)

_METRICS = (
    _column("cost_in_local_currency", "decimal", "costInLocalCurrency"),
    _column("cost_in_usd", "decimal", "costInUsd"),
    _column("impressions", "bigint", "impressions"),
    _column("clicks", "bigint", "clicks"),
    _column("landing_page_clicks", "bigint", "landingPageClicks"),
    _column("external_website_conversions", "decimal", "externalWebsiteConversions"),
    _column("post_click_conversions", "decimal", "externalWebsitePostClickConversions"),
    _column("post_view_conversions", "decimal", "externalWebsitePostViewConversions"),
    _column("one_click_leads", "decimal", "oneClickLeads"),
    _column("lead_form_opens", "bigint", "oneClickLeadFormOpens"),
    _column("conversion_value_in_local_currency", "decimal", "conversionValueInLocalCurrency"),
    _column("job_applications", "decimal", "jobApplications"),
    _column("registrations", "decimal", "registrations"),
    _column("total_engagements", "bigint", "totalEngagements"),
    _column("reactions", "bigint", "reactions"),
    _column("comments", "bigint", "comments"),
    _column("shares", "bigint", "shares"),
    _column("follows", "bigint", "follows"),
    _column("message_sends", "bigint", "sends"),
    _column("message_opens", "bigint", "opens"),
    _column("video_starts", "bigint", "videoStarts"),
    _column("video_views", "bigint", "videoViews"),
    _column("video_completions", "bigint", "videoCompletions"),
    _column("approximate_member_reach", "bigint", "approximateMemberReach"),
    _column("pivot_values", "json", "pivotValues"),
)
_REPORT_DATE = _column("report_date", "year_month_day", "dateRange.start", "start_date", "end_date")
_ACCOUNT_URN = _column("account_urn", "varchar", "sponsoredAccount")

_AD_ANALYTICS = ObjectContract(
    object="ad_analytics",
    versions=(Version("native", native.AdAnalytics), Version("airbyte", airbyte.AdAnalytics)),
    columns=(
        _REPORT_DATE,
        _ACCOUNT_URN,
        _column("campaign_urn", "varchar", "pivotValues[2]"),
        _column("ad_group_urn", "varchar", "pivotValues[1]"),
        _column("ad_urn", "varchar", "pivotValues[0]", "string_of_pivot_values"),
        *_METRICS,
    ),
    cursor="report_date",
    key=("report_date", "ad_urn"),
    load_mode="replace_scope",
    scope=Scope(account="account_urn", date="report_date"),
    needed=("report_date", "ad_urn", "cost_in_local_currency"),
)

_AD_ANALYTICS_BY_CAMPAIGN = ObjectContract(
    object="ad_analytics_by_campaign",
    versions=(
        Version("native", native.AdAnalyticsByCampaign),
        Version("airbyte", airbyte.AdAnalyticsByCampaign),
    ),
    columns=(
        _REPORT_DATE,
        _ACCOUNT_URN,
        _column("campaign_urn", "varchar", "pivotValues[1]"),
        _column("ad_group_urn", "varchar", "pivotValues[0]", "string_of_pivot_values"),
        *_METRICS,
    ),
    cursor="report_date",
    key=("report_date", "ad_group_urn"),
    load_mode="replace_scope",
    scope=Scope(account="account_urn", date="report_date"),
    needed=("report_date", "ad_group_urn", "cost_in_local_currency"),
)

CONTRACTS: tuple[ObjectContract, ...] = (
    _CAMPAIGN_GROUPS,
    _CAMPAIGNS,
    _AD_ANALYTICS,
    _AD_ANALYTICS_BY_CAMPAIGN,
)
