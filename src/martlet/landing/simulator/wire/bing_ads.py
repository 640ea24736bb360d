"""Microsoft's wire records: a report of texts, in units of money, with several rows an ad."""

_STATUS = "case status when 'active' then 'Active' when 'paused' then 'Paused' else 'Deleted' end"


def _share(column: str) -> str:
    """Return the part of a whole number that one of the two rows holds: nothing is lost."""
    return f"(case part.number when 1 then d.{column} // 3 else d.{column} - d.{column} // 3 end)"


def _hundredths(column: str) -> str:
    return f"cast({_share(column)} * 0.01 as varchar)"


OBJECTS: dict[str, str] = {
    # Microsoft names zones in its own words, so the account's IANA zone is not to be had here.
    "campaigns": f"""
        select
            account_id as AccountId,
            '25000001' as CustomerId,
            campaign_id as Id,
            campaign_name as Name,
            {_STATUS} as Status,
            case channel
                when 'search' then 'Search'
                when 'performance_max' then 'PerformanceMax'
                else 'Audience'
            end as CampaignType,
            'DailyBudgetStandard' as BudgetType,
            cast(daily_budget as double) as DailyBudget,
            {{'Type': 'MaxClicks'}} as BiddingScheme,
            ['English'] as Languages,
            'EasternTimeUSCanada' as TimeZone,
            end_date is not null as UseCampaignLevelDates,
            case when end_date is not null then strftime(start_date, '%Y-%m-%d') end as StartDate,
            strftime(end_date, '%Y-%m-%d') as EndDate,
        from campaign
    """,
    "ad_groups": f"""
        select
            account_id as AccountId,
            '25000001' as CustomerId,
            campaign_id as CampaignId,
            ad_group_id as Id,
            ad_group_name as Name,
            {_STATUS} as Status,
            'SearchStandard' as AdGroupType,
            'OwnedAndOperatedAndSyndicatedSearch' as Network,
            {{'Amount': 0.85}} as CpcBid,
            {{
                'Day': day(created_at), 'Month': month(created_at), 'Year': year(created_at)
            }} as StartDate,
        from ad_group
    """,
    "ads": f"""
        select
            account_id as AccountId,
            '25000001' as CustomerId,
            ad_group_id as AdGroupId,
            ad_id as Id,
            'ResponsiveSearch' as Type,
            {_STATUS} as Status,
            'Active' as EditorialStatus,
            ['https://shop.example/'] as FinalUrls,
            [{{'Asset': {{'Id': '7' || ad_id, 'Text': ad_name}}}}] as Headlines,
        from ad
    """,
    # The qualified conversions are right; the whole-number column rounds each row up, and the
    # columns named All hold more.
    "ad_performance_report": f"""
        with day as (
            select
                * exclude (spend, conversions, conversion_value),
                cast(spend * 100 as bigint) as spend_cents,
                cast(conversions * 100 as bigint) as conversion_hundredths,
                cast(conversion_value * 100 as bigint) as value_cents,
            from ad_day
        )
        select
            strftime(d.report_date, '%Y-%m-%d') as TimePeriod,
            d.account_id as AccountId,
            a.account_name as AccountName,
            a.currency as CurrencyCode,
            d.campaign_id as CampaignId,
            c.campaign_name as CampaignName,
            d.ad_group_id as AdGroupId,
            g.ad_group_name as AdGroupName,
            d.ad_id as AdId,
            'Search' as AdDistribution,
            part.device as DeviceType,
            part.system as DeviceOS,
            'English' as Language,
            'Bing and Yahoo! search' as Network,
            part.place as TopVsOther,
            'Broad' as BidMatchType,
            'Exact' as DeliveredMatchType,
            cast({_share("impressions")} as varchar) as Impressions,
            cast({_share("clicks")} as varchar) as Clicks,
            coalesce(
                round(100 * {_share("clicks")} / nullif({_share("impressions")}, 0), 2) || '%', '--'
            ) as Ctr,
            {_hundredths("spend_cents")} as Spend,
            cast(cast(ceil({_share("conversion_hundredths")} / 100) as bigint) as varchar)
                as Conversions,
            {_hundredths("conversion_hundredths")} as ConversionsQualified,
            {_hundredths("value_cents")} as Revenue,
            cast(cast(d.conversions_seen as bigint) as varchar) as AllConversions,
            cast(d.conversions_seen * 1.25 as varchar) as AllConversionsQualified,
            cast(d.value_cents * 0.02 as varchar) as AllRevenue,
            '2' as ViewThroughConversions,
        from (select *, conversion_hundredths // 100 + 2 as conversions_seen from day) as d
        left join account as a on a.account_id = d.account_id
        left join campaign as c on c.account_id = d.account_id and c.campaign_id = d.campaign_id
        left join ad_group as g on g.account_id = d.account_id and g.ad_group_id = d.ad_group_id
        cross join (
            values (1, 'Smartphone', 'iOS', 'Bing and Yahoo! search - Top'),
                (2, 'Computer', 'Windows', 'Bing and Yahoo! search - Other')
        ) as part (number, device, system, place)
        where
            part.number = 2
            or greatest(d.impressions, d.spend_cents, d.conversion_hundredths, d.value_cents) >= 3
    """,
}
