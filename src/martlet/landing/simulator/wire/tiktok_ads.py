"""TikTok's wire records: every metric a text inside `metrics`, ids beyond 2^53 as texts."""


def _moment(expression: str) -> str:
    return f"strftime({expression}, '%Y-%m-%d %H:%M:%S')"


def _operation(entity: str) -> str:
    return f"case {entity}.status when 'active' then 'ENABLE' else 'DISABLE' end"


def _secondary(entity: str, prefix: str) -> str:
    return (
        f"'{prefix}_STATUS_' || case {entity}.status when 'active' then 'ENABLE' "
        "when 'paused' then 'DISABLE' else 'DELETE' end"
    )


def _whole(expression: str) -> str:
    return f"cast(cast({expression} as bigint) as varchar)"


def _money(expression: str) -> str:
    return f"cast(cast({expression} as decimal(18, 3)) as varchar)"


def _cents(expression: str) -> str:
    return f"cast(cast({expression} as decimal(18, 0)) * 0.01 as varchar)"


# Midnight of a day in the account's zone, as a UTC wall clock.
_MIDNIGHT = "((cast({} as timestamp) at time zone c.timezone) at time zone 'UTC')"

OBJECTS: dict[str, str] = {
    "campaigns": f"""
        select
            k.campaign_id,
            k.account_id as advertiser_id,
            k.campaign_name,
            'REGULAR_CAMPAIGN' as campaign_type,
            {_operation("k")} as operation_status,
            {_secondary("k", "CAMPAIGN")} as secondary_status,
            case k.objective
                when 'sales' then 'WEB_CONVERSIONS'
                when 'leads' then 'LEAD_GENERATION'
                when 'traffic' then 'TRAFFIC'
                else 'REACH'
            end as objective_type,
            cast(k.daily_budget as double) as budget,
            case when cast(k.daily_budget as bigint) % 2 = 0
                then 'BUDGET_MODE_DAY' else 'BUDGET_MODE_DYNAMIC_DAILY_BUDGET'
            end as budget_mode,
            true as budget_optimize_on,
            {_moment("k.created_at")} as create_time,
            {_moment("k.updated_at")} as modify_time,
        from campaign as k
    """,
    # A run without an end is given one ten years on. The campaign's budget counts, not the ad
    # group's.
    "ad_groups": f"""
        select
            g.ad_group_id as adgroup_id,
            g.campaign_id,
            g.account_id as advertiser_id,
            g.ad_group_name as adgroup_name,
            k.campaign_name,
            {_operation("g")} as operation_status,
            {_secondary("g", "ADGROUP")} as secondary_status,
            'BUDGET_MODE_INFINITE' as budget_mode,
            cast(g.daily_budget as double) as budget,
            'PLACEMENT_TYPE_AUTOMATIC' as placement_type,
            'CONVERT' as optimization_goal,
            'OCPM' as billing_event,
            case when k.end_date is null then 'SCHEDULE_FROM_NOW' else 'SCHEDULE_START_END' end
                as schedule_type,
            {_moment(_MIDNIGHT.format("k.start_date"))} as schedule_start_time,
            {_moment(_MIDNIGHT.format("coalesce(k.end_date + 1, k.start_date + 3650)"))}
                as schedule_end_time,
            {_moment("g.created_at")} as create_time,
            {_moment("g.updated_at")} as modify_time,
        from ad_group as g
        cross join context as c
        left join campaign as k on k.account_id = g.account_id and k.campaign_id = g.campaign_id
    """,
    "ads": f"""
        select
            a.ad_id,
            a.ad_group_id as adgroup_id,
            a.campaign_id,
            a.account_id as advertiser_id,
            a.ad_name,
            {_operation("a")} as operation_status,
            {_secondary("a", "AD")} as secondary_status,
            'SINGLE_VIDEO' as ad_format,
            'LEARN_MORE' as call_to_action,
            {_moment("a.created_at")} as create_time,
            {_moment("a.updated_at")} as modify_time,
        from ad as a
    """,
    # The value is split between app, web (so many purchases of so much each, to the cent) and the
    # shop inside TikTok. Real-time conversions are the same ones counted another way, cash and
    # vouchers are parts of the spend, and the "rate" is none: an engine that reads them is caught.
    "ads_reports_daily": f"""
        with valued as (
            select
                *,
                cast(conversions as bigint) as purchases,
                cast(conversion_value * 100 as bigint) // 4 as app_cents,
                cast(conversion_value * 100 as bigint) - app_cents as rest_cents,
                case when purchases > 0 then rest_cents // purchases else 0 end as web_cents,
            from ad_day
        )
        select
            to_json({{
                'stat_time_day': strftime(d.report_date, '%Y-%m-%d 00:00:00'),
                'ad_id': d.ad_id
            }}) as dimensions,
            to_json({{
                'advertiser_id': d.account_id,
                'currency': a.currency,
                'campaign_id': d.campaign_id,
                'campaign_name': k.campaign_name,
                'adgroup_id': d.ad_group_id,
                'adgroup_name': g.ad_group_name,
                'ad_name': ad.ad_name,
                'spend': {_money("d.spend")},
                'cash_spend': {_money("floor(d.spend * 0.6)")},
                'voucher_spend': {_money("d.spend - floor(d.spend * 0.6)")},
                'impressions': {_whole("d.impressions")},
                'clicks': {_whole("d.clicks")},
                'reach': {_whole("ceil(d.impressions * 0.8)")},
                'conversion': {_whole("d.purchases")},
                'real_time_conversion': {_whole("d.purchases + 1")},
                'result': {_whole("d.purchases + 2")},
                'secondary_goal_result': '-',
                'total_purchase_value':
                    case when d.app_cents > 0 then {_cents("d.app_cents")} else '-' end,
                'complete_payment': {_whole("d.purchases")},
                'value_per_complete_payment':
                    case when d.purchases > 0 then {_cents("d.web_cents")} else '-' end,
                'total_complete_payment_rate': {_cents("d.rest_cents + 100")},
                'onsite_shopping': {_whole("least(d.purchases, 1)")},
                'total_onsite_shopping_value':
                    {_cents("d.rest_cents - d.web_cents * d.purchases")}
            }}) as metrics,
        from valued as d
        left join account as a on a.account_id = d.account_id
        left join campaign as k on k.account_id = d.account_id and k.campaign_id = d.campaign_id
        left join ad_group as g on g.account_id = d.account_id and g.ad_group_id = d.ad_group_id
        left join ad on ad.account_id = d.account_id and ad.ad_id = d.ad_id
    """,
}
