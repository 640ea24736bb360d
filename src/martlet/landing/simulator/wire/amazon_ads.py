"""Amazon's wire records: ids as texts in entities and numbers in reports, four windows a figure."""

_WINDOWS = (1, 7, 14, 30)
_STATE = (
    "case {0}.status when 'active' then 'ENABLED' when 'paused' then 'PAUSED' else 'ARCHIVED' end"
)


def _extended_data(entity: str) -> str:
    moment = "strftime({}, '%Y-%m-%dT%H:%M:%S.000Z')"
    return f"""to_json({{
                'creationDateTime': {moment.format(f"{entity}.created_at")},
                'lastUpdateDateTime': {moment.format(f"{entity}.updated_at")},
                'servingStatus': 'ADVERTISER_STATUS_ENABLED'
            }})"""


# The connection's window holds the fact. A shorter window holds less, a longer one more: an engine
# that takes another, or adds them up, is caught.
_CHOSEN = """(select case
                when attribution_setting like '1d%' then 1
                when attribution_setting like '7d%' then 7
                when attribution_setting like '30d%' then 30
                else 14 end from context)"""


def _windows(wire_name: str, total: str, part: str, more: str, kind: str) -> str:
    return "\n            ".join(
        f"cast(case when {days} = {_CHOSEN} then {total} when {days} < {_CHOSEN} then {part}"
        f' else {total} + {more} * {place} end as {kind}) as "{wire_name}{days}d",'
        for place, days in enumerate(_WINDOWS)
    )


def _purchases(wire_name: str, total: str) -> str:
    return _windows(wire_name, total, f"floor({total} / 2)", "least(d.clicks, 1)", "bigint")


def _sales(wire_name: str, total: str) -> str:
    part = f"cast({total} / 2 as decimal(18, 2))"
    return _windows(wire_name, total, part, "least(d.clicks, 1) * 19.90", "double")


OBJECTS: dict[str, str] = {
    "sponsored_products_campaigns": f"""
        select
            try_cast(k.account_id as bigint) as "profileId",
            k.campaign_id as "campaignId",
            k.campaign_name as name,
            {_STATE.format("k")} as state,
            'MANUAL' as "targetingType",
            strftime(k.start_date, '%Y-%m-%d') as "startDate",
            strftime(k.end_date, '%Y-%m-%d') as "endDate",
            -- a budget rule may raise the effective budget of a day
            to_json({{
                'budget': cast(k.daily_budget as double),
                'budgetType': 'DAILY',
                'effectiveBudget': cast(k.daily_budget * 1.5 as double)
            }}) as budget,
            to_json({{'strategy': 'LEGACY_FOR_SALES'}}) as "dynamicBidding",
            {_extended_data("k")} as "extendedData",
        from campaign as k
    """,
    "sponsored_products_ad_groups": f"""
        select
            try_cast(g.account_id as bigint) as "profileId",
            g.ad_group_id as "adGroupId",
            g.campaign_id as "campaignId",
            g.ad_group_name as name,
            {_STATE.format("g")} as state,
            0.75 as "defaultBid",
            {_extended_data("g")} as "extendedData",
        from ad_group as g
    """,
    "sponsored_products_product_ads": f"""
        select
            try_cast(a.account_id as bigint) as "profileId",
            a.ad_id as "adId",
            a.ad_group_id as "adGroupId",
            a.campaign_id as "campaignId",
            'B0' || right(a.ad_id, 8) as asin,
            'SKU-' || right(a.ad_id, 6) as sku,
            {_STATE.format("a")} as state,
            {_extended_data("a")} as "extendedData",
        from ad as a
    """,
    "sponsored_products_advertised_product_report": f"""
        select
            try_cast(d.account_id as bigint) as "profileId",
            strftime(d.report_date, '%Y-%m-%d') as date,
            cast(d.ad_id as bigint) as "adId",
            k.campaign_name as "campaignName",
            cast(d.campaign_id as bigint) as "campaignId",
            g.ad_group_name as "adGroupName",
            cast(d.ad_group_id as bigint) as "adGroupId",
            d.impressions,
            d.clicks,
            cast(d.spend as double) as cost,
            cast(d.spend as double) as spend,
            a.currency as "campaignBudgetCurrencyCode",
            cast(k.daily_budget as double) as "campaignBudgetAmount",
            'DAILY_BUDGET' as "campaignBudgetType",
            {_STATE.format("k")} as "campaignStatus",
            'B0' || right(d.ad_id, 8) as "advertisedAsin",
            'SKU-' || right(d.ad_id, 6) as "advertisedSku",
            {_purchases("purchases", "d.conversions")}
            {_purchases("purchasesSameSku", "floor(d.conversions * 0.7)")}
            {_purchases("unitsSoldClicks", "(d.conversions * 2)")}
            {_sales("sales", "d.conversion_value")}
            {_sales("attributedSalesSameSku", "cast(d.conversion_value * 0.7 as decimal(18, 2))")}
        from ad_day as d
        left join account as a on a.account_id = d.account_id
        left join campaign as k on k.account_id = d.account_id and k.campaign_id = d.campaign_id
        left join ad_group as g on g.account_id = d.account_id and g.ad_group_id = d.ad_group_id
    """,
}
