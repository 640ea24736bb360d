"""LinkedIn's wire records: references as URNs, costs as noisy texts, one report a pivot."""

_STATUS = "case status when 'active' then 'ACTIVE' when 'paused' then 'PAUSED' else 'ARCHIVED' end"
_STAMPS = """{
                'created': {'time': epoch_ms(created_at)},
                'lastModified': {'time': epoch_ms(updated_at)}
            }"""


def _urn(kind: str, expression: str) -> str:
    return f"'urn:li:sponsored{kind}:' || {expression}"


def _money(expression: str) -> str:
    amount = f"cast(cast({expression} as decimal(18, 2)) as varchar)"
    currency = "(select currency from context)"
    return f"to_json({{'amount': {amount}, 'currencyCode': {currency}}})"


_DAY = "{'year': year(report_date), 'month': month(report_date), 'day': day(report_date)}"

# What did not happen is left out of a row. Some costs carry the noise that LinkedIn's sums have.
# US dollars, viral figures and the parts of the conversions (post-click, post-view) are not the
# fact: an engine that reads or adds them is caught.
_METRICS = f"""
            to_json({{'start': {_DAY}, 'end': {_DAY}}}) as "dateRange",
            {_urn("Account", "account_id")} as "sponsoredAccount",
            case
                when cast(spend * 100 as bigint) % 7 = 3
                    then cast(cast(spend as decimal(30, 14)) - 0.00000000000004 as varchar)
                when spend = 0 then '-2e-18'
                else cast(cast(spend as decimal(18, 2)) as varchar)
            end as "costInLocalCurrency",
            cast(cast(spend * 1.37 + 1 as decimal(18, 2)) as varchar) as "costInUsd",
            impressions,
            impressions // 3 + 1 as "viralImpressions",
            nullif(clicks, 0) as clicks,
            nullif(clicks // 2, 0) as "landingPageClicks",
            clicks + 2 as "totalEngagements",
            case when conversions > 0 then cast(conversions as bigint) end
                as "externalWebsiteConversions",
            case when conversions > 0 then cast(ceil(conversions / 2) as bigint) end
                as "externalWebsitePostClickConversions",
            case when conversions > 0 then cast(floor(conversions / 2) as bigint) end
                as "externalWebsitePostViewConversions",
            case when conversion_value > 0
                then cast(cast(conversion_value as decimal(18, 2)) as varchar)
            end as "conversionValueInLocalCurrency","""

OBJECTS: dict[str, str] = {
    # `end` is the first moment after the last day.
    "campaign_groups": f"""
        select
            cast(campaign_id as bigint) as id,
            {_urn("Account", "account_id")} as account,
            campaign_name as name,
            {_STATUS} as status,
            upper(objective) as "objectiveType",
            to_json({{
                'start': epoch_ms(cast(start_date as timestamp)),
                'end': epoch_ms(cast(end_date + 1 as timestamp))
            }}) as "runSchedule",
            {_money("daily_budget")} as "dailyBudget",
            {_money("daily_budget * 30")} as "totalBudget",
            to_json({{'budgetOptimizationStrategy': 'DYNAMIC'}}) as "budgetOptimization",
            to_json({_STAMPS}) as "changeAuditStamps",
            to_json(['RUNNABLE']) as "servingStatuses",
            false as test,
            false as backfilled,
        from campaign
    """,
    # The group shares its budget out; a campaign's own is no second one.
    "campaigns": f"""
        select
            cast(ad_group_id as bigint) as id,
            {_urn("CampaignGroup", "campaign_id")} as "campaignGroup",
            {_urn("Account", "account_id")} as account,
            ad_group_name as name,
            {_STATUS} as status,
            'WEBSITE_CONVERSION' as "objectiveType",
            'SPONSORED_UPDATES' as type,
            'STANDARD_UPDATE' as format,
            'CPC' as "costType",
            {_money("daily_budget")} as "dailyBudget",
            {_money("5")} as "unitCost",
            to_json({_STAMPS}) as "changeAuditStamps",
            to_json({{'versionTag': '3'}}) as version,
            false as test,
        from ad_group
    """,
    "ad_analytics": f"""
        select
            {_METRICS}
            to_json([
                {_urn("Creative", "ad_id")},
                {_urn("Campaign", "ad_group_id")},
                {_urn("CampaignGroup", "campaign_id")}
            ]) as "pivotValues",
        from ad_day
    """,
    # The same money once more, by campaign.
    "ad_analytics_by_campaign": f"""
        select
            {_METRICS}
            to_json([
                {_urn("Campaign", "ad_group_id")},
                {_urn("CampaignGroup", "campaign_id")}
            ]) as "pivotValues",
        from (
            select
                account_id,
                report_date,
                campaign_id,
                ad_group_id,
                sum(spend) as spend,
                cast(sum(impressions) as bigint) as impressions,
                cast(sum(clicks) as bigint) as clicks,
                sum(conversions) as conversions,
                sum(conversion_value) as conversion_value,
            from ad_day
            group by all
        )
    """,
}
