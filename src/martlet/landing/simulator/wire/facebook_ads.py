"""Meta's wire records: metrics and budgets as texts, ids beyond 2^53, actions that overlap."""

_MOMENT = "strftime({moment}, '%Y-%m-%dT%H:%M:%S+0000')"


def _moment(column: str) -> str:
    return _MOMENT.format(moment=column)


# Currencies whose budgets Meta counts in whole units: they have no minor one.
_MINOR_UNITS = """
    case when (select currency from context) in (
        'CLP', 'COP', 'CRC', 'HUF', 'IDR', 'ISK', 'JPY', 'KRW', 'PYG', 'TWD', 'VND'
    ) then 1 else 100 end"""


def _midnight(day: str) -> str:
    """Return the moment at which a day of the account begins, as Meta writes it."""
    return _moment(
        f"{day}::timestamp at time zone (select timezone from context) at time zone 'UTC'"
    )


_CENTS = "cast(cast({money} as decimal(18, 2)) as varchar)"


def _actions(value: str) -> str:
    """Return an action list that tells one purchase under three types."""
    types = ("k.other_action", "k.overlapping_action", "k.conversion_action")
    purchases = ", ".join(f"{{'action_type': {type_}, 'value': {value}}}" for type_ in types)
    return f"[{{'action_type': 'link_click', 'value': cast(d.clicks as varchar)}}, {purchases}]"


_STATUS = """
    case status when 'active' then 'ACTIVE' when 'paused' then 'PAUSED' else 'ARCHIVED' end"""

OBJECTS: dict[str, str] = {
    "campaigns": f"""
        select
            campaign_id as id,
            account_id,
            campaign_name as name,
            {_STATUS} as status,
            {_STATUS} as effective_status,
            {_STATUS} as configured_status,
            'OUTCOME_' || upper(objective) as objective,
            'AUCTION' as buying_type,
            cast(cast(daily_budget * {_MINOR_UNITS} as bigint) as varchar) as daily_budget,
            {_midnight("start_date")} as start_time,
            {_midnight("end_date")} as stop_time,
            {_moment("created_at")} as created_time,
            {_moment("updated_at")} as updated_time,
        from campaign
    """,
    "ad_sets": f"""
        select
            ad_group_id as id,
            campaign_id,
            account_id,
            ad_group_name as name,
            {_STATUS} as status,
            {_STATUS} as effective_status,
            '0' as daily_budget, -- the budget sits on the campaign
            'OFFSITE_CONVERSIONS' as optimization_goal,
            'IMPRESSIONS' as billing_event,
            {_moment("created_at")} as created_time,
            {_moment("updated_at")} as updated_time,
        from ad_group
    """,
    "ads": f"""
        select
            ad_id as id,
            ad_group_id as adset_id,
            campaign_id,
            account_id,
            ad_name as name,
            {_STATUS} as status,
            {_STATUS} as effective_status,
            to_json({{'id': ad_id || '7'}}) as creative,
            {_moment("created_at")} as created_time,
            {_moment("updated_at")} as updated_time,
        from ad
    """,
    # A metric that is zero, and a list without entries, is left out of the row.
    "facebook_insights": f"""
        with counted as (
            select
                attribution_setting,
                coalesce(conversion_action, 'offsite_conversion.fb_pixel_purchase')
                    as conversion_action,
                case conversion_action
                    when 'purchase' then 'onsite_web_purchase' else 'purchase'
                end as other_action,
                case conversion_action
                    when 'omni_purchase' then 'web_in_store_purchase' else 'omni_purchase'
                end as overlapping_action,
            from context
        )
        select
            strftime(d.report_date, '%Y-%m-%d') as date_start,
            strftime(d.report_date, '%Y-%m-%d') as date_stop,
            d.account_id,
            a.account_name,
            a.currency as account_currency,
            d.campaign_id,
            c.campaign_name,
            d.ad_group_id as adset_id,
            g.ad_group_name as adset_name,
            d.ad_id,
            ad.ad_name,
            d.publisher as publisher_platform,
            nullif({_CENTS.format(money="d.spend")}, '0.00') as spend,
            nullif(cast(d.impressions as varchar), '0') as impressions,
            nullif(cast(d.clicks as varchar), '0') as clicks,
            cast(d.impressions as varchar) as reach,
            k.attribution_setting,
            case when d.conversions > 0
                then to_json({_actions("cast(cast(d.conversions as bigint) as varchar)")})
            end as actions,
            case when d.conversion_value > 0
                then to_json({_actions(_CENTS.format(money="d.conversion_value"))})
            end as action_values,
        from ad_day as d
        cross join counted as k
        left join account as a on a.account_id = d.account_id
        left join campaign as c on c.account_id = d.account_id and c.campaign_id = d.campaign_id
        left join ad_group as g on g.account_id = d.account_id and g.ad_group_id = d.ad_group_id
        left join ad on ad.account_id = d.account_id and ad.ad_id = d.ad_id
    """,
}
