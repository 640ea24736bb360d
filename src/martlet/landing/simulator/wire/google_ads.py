"""Google's wire records: micros and ids as texts, fractional conversions, several rows an ad."""

_STATUS = """
    case {alias}.status
        when 'active' then 'ENABLED' when 'paused' then 'PAUSED' else 'REMOVED'
    end"""


def _status(alias: str) -> str:
    return _STATUS.format(alias=alias)


def _customer(alias: str) -> str:
    """Return the customer as queries get it that do not ask for its currency and time zone."""
    account = f"{alias}.account_id"
    return f"{{'resourceName': 'customers/' || {account}, 'id': {account}}} as customer"


def _resource(kind: str, alias: str, *ids: str) -> str:
    """Return a resource's name: kind and ids below its customer."""
    name = " || '~' || ".join(f"{alias}.{id_}" for id_ in ids)
    return f"'customers/' || {alias}.account_id || '/{kind}/' || {name}"


_CAMPAIGN = f"""{{
    'resourceName': {_resource("campaigns", "c", "campaign_id")},
    'id': c.campaign_id,
    'name': c.campaign_name,
    'status': {_status("c")},
    'advertisingChannelType': case c.channel
        when 'social' then 'DEMAND_GEN' else upper(c.channel)
    end,
    'campaignBudget': 'customers/' || c.account_id || '/campaignBudgets/9' || c.campaign_id,
    'startDateTime': strftime(c.start_date, '%Y-%m-%d 00:00:00'),
    'endDateTime': coalesce(strftime(c.end_date, '%Y-%m-%d 23:59:59'), '2037-12-30 23:59:59')
}}"""

_BUDGET = """{
    'resourceName': 'customers/' || c.account_id || '/campaignBudgets/9' || c.campaign_id,
    'id': '9' || c.campaign_id,
    'amountMicros': cast(cast(c.daily_budget * 1000000 as bigint) as varchar),
    'period': 'DAILY',
    'explicitlyShared': false
}"""

_MICROS = """
    cast(spend * 1000000 as bigint) as cost_micros,
    impressions,
    clicks,
    cast(conversions * 1000000 as bigint) as conversion_micros,
    cast(conversion_value * 1000000 as bigint) as value_micros"""


def _share(column: str) -> str:
    """Return the part of a whole number that one of the two rows holds: nothing is lost."""
    return f"case part.number when 1 then d.{column} // 3 else d.{column} - d.{column} // 3 end"


# `allConversions` holds more than `conversions` on purpose, and averages are micros too.
_METRICS = f"""{{
    'costMicros': cast({_share("cost_micros")} as varchar),
    'impressions': cast({_share("impressions")} as varchar),
    'clicks': cast({_share("clicks")} as varchar),
    'interactions': cast({_share("clicks")} as varchar),
    'conversions': ({_share("conversion_micros")}) * 0.000001,
    'conversionsValue': ({_share("value_micros")}) * 0.000001,
    'allConversions': ({_share("conversion_micros")}) * 0.000001 + 1.5,
    'allConversionsValue': ({_share("value_micros")}) * 0.000001 + 99.9,
    'viewThroughConversions': '3',
    'averageCpc': round(d.cost_micros / nullif(d.clicks, 0), 1)
}}"""

# The first row is not reported where it would hold nothing; the second always is.
_REPORTED = """
    part.number = 2
    or greatest(d.impressions, d.cost_micros, d.conversion_micros, d.value_micros) >= 3"""

OBJECTS: dict[str, str] = {
    "customers": """
        select
            {
                'resourceName': 'customers/' || account_id,
                'id': account_id,
                'descriptiveName': account_name,
                'currencyCode': currency,
                'timeZone': timezone,
                'manager': false,
                'testAccount': false,
                'status': 'ENABLED'
            } as customer,
        from account
    """,
    # The entities, and beside them the report: every campaign by day and network, those with ads
    # too, whose days are already in `ad_performance`.
    "campaigns": f"""
        with day as (
            select account_id, campaign_id, report_date, {_MICROS}
            from (
                select
                    account_id,
                    campaign_id,
                    report_date,
                    sum(spend) as spend,
                    cast(sum(impressions) as bigint) as impressions,
                    cast(sum(clicks) as bigint) as clicks,
                    sum(conversions) as conversions,
                    sum(conversion_value) as conversion_value,
                from ad_day
                group by all
            )
        )
        select
            {_customer("c")},
            to_json({_CAMPAIGN}) as campaign,
            to_json({_BUDGET}) as campaignBudget,
            cast(null as json) as metrics,
            cast(null as json) as segments,
        from campaign as c
        union all
        select
            {_customer("c")},
            to_json({_CAMPAIGN}) as campaign,
            to_json({_BUDGET}) as campaignBudget,
            to_json({_METRICS}) as metrics,
            to_json({{
                'date': strftime(d.report_date, '%Y-%m-%d'), 'adNetworkType': part.network
            }}) as segments,
        from campaign as c
        inner join day as d on d.account_id = c.account_id and d.campaign_id = c.campaign_id
        cross join (values (1, 'SEARCH'), (2, 'CONTENT')) as part (number, network)
        where {_REPORTED}
    """,
    "ad_groups": f"""
        select
            {_customer("g")},
            {{
                'resourceName': {_resource("campaigns", "g", "campaign_id")},
                'id': g.campaign_id
            }} as campaign,
            {{
                'resourceName': {_resource("adGroups", "g", "ad_group_id")},
                'campaign': {_resource("campaigns", "g", "campaign_id")},
                'id': g.ad_group_id,
                'name': g.ad_group_name,
                'status': {_status("g")},
                'type': 'SEARCH_STANDARD',
                'cpcBidMicros': '1250000'
            }} as adGroup,
        from ad_group as g
    """,
    "ads": f"""
        select
            {_customer("a")},
            {{
                'resourceName': {_resource("campaigns", "a", "campaign_id")},
                'id': a.campaign_id
            }} as campaign,
            {{
                'resourceName': {_resource("adGroups", "a", "ad_group_id")},
                'id': a.ad_group_id
            }} as adGroup,
            {{
                'resourceName': {_resource("adGroupAds", "a", "ad_group_id", "ad_id")},
                'status': {_status("a")},
                'ad': {{
                    'resourceName': {_resource("ads", "a", "ad_id")},
                    'id': a.ad_id,
                    'name': a.ad_name,
                    'type': 'RESPONSIVE_SEARCH_AD',
                    'finalUrls': ['https://shop.example/']
                }}
            }} as adGroupAd,
        from ad as a
    """,
    "ad_performance": f"""
        with day as (
            select account_id, campaign_id, ad_group_id, ad_id, report_date, {_MICROS}
            from ad_day
            where grain = 'ad'
        )
        select
            {_customer("d")},
            {{
                'resourceName': {_resource("campaigns", "d", "campaign_id")},
                'id': d.campaign_id,
                'name': c.campaign_name
            }} as campaign,
            {{
                'resourceName': {_resource("adGroups", "d", "ad_group_id")},
                'id': d.ad_group_id
            }} as adGroup,
            {{
                'resourceName': {_resource("adGroupAds", "d", "ad_group_id", "ad_id")},
                'ad': {{
                    'resourceName': {_resource("ads", "d", "ad_id")}, 'id': d.ad_id
                }}
            }} as adGroupAd,
            {_METRICS} as metrics,
            {{
                'date': strftime(d.report_date, '%Y-%m-%d'),
                'adNetworkType': 'SEARCH',
                'device': part.device
            }} as segments,
        from day as d
        left join campaign as c on c.account_id = d.account_id and c.campaign_id = d.campaign_id
        cross join (values (1, 'MOBILE'), (2, 'DESKTOP')) as part (number, device)
        where {_REPORTED}
    """,
}
