{#
    TikTok's metrics are texts; '-' is not available, which is null here. A row names campaign and
    ad group only where they were requested as metrics, and its advertiser hardly ever: the ad
    itself knows all three.

    Conversions are those of the day on which the ad was shown (real_time_conversions count the same
    once more, by the day of the event). A conversion's value may be made in an app, on the website
    or in the shop inside TikTok: three figures that do not overlap. Vouchers and cash are parts of
    the spend. Source of the facts: Business API v1.3, report/integrated/get.
#}
{% macro engine_tiktok_ads(tenant, sources) %}
with
ad_days as (
    select * from {{ ref('int_' ~ tenant ~ '__tiktok_ads_ads_reports_daily') }}
),
ads as (
    select * from {{ ref('int_' ~ tenant ~ '__tiktok_ads_ads') }}
),
connections as (
    {{ connection_rows(tenant, 'tiktok_ads') | indent(4) }}
),
reported as (
    select
        d.tenant_slug,
        d.source_platform,
        d.connection,
        coalesce(
            d.account_id, a.account_id, {{ connection_account(tenant, 'tiktok_ads', 'd.connection') }}
        ) as account_id,
        d.report_date,
        coalesce(d.campaign_id, a.campaign_id) as campaign_id,
        coalesce(d.ad_group_id, a.ad_group_id) as ad_group_id,
        d.ad_id,
        d.spend,
        d.impressions,
        d.clicks,
        coalesce(d.conversions, 0) as conversions,
        coalesce(d.app_purchase_value, 0)
        {# Wider than the landed types, or a product above a million overflows. #}
        + coalesce(cast(d.website_purchases as decimal(38, 6)) * d.value_per_website_purchase, 0)
        + coalesce(d.onsite_purchase_value, 0) as conversion_value,
        coalesce(nullif(d.currency, '-'), c.currency) as currency,
        'ad' as grain,
        c.timezone as account_timezone,
        c.attribution_window as attribution_setting,
    from ad_days as d
    left join ads as a on a.connection = d.connection and a.ad_id = d.ad_id
    left join connections as c on c.connection = d.connection
    where not d.is_deleted
)
{{ select_canonical('reported', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{#
    A budget is a daily one in two of the budget modes only. A campaign has no dates: it runs from
    the first start to the last end of its ad groups, in the account's zone, and without an end
    where one of them has none (TikTok then states an end ten years on).
#}
{% macro campaigns_tiktok_ads(tenant, sources) %}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__tiktok_ads_campaigns') }}
),
ad_groups as (
    select * from {{ ref('int_' ~ tenant ~ '__tiktok_ads_ad_groups') }}
),
connections as (
    {{ connection_rows(tenant, 'tiktok_ads') | indent(4) }}
),
runs as (
    select
        connection,
        campaign_id,
        min(start_at) as start_at,
        case
            when count(*) filter (where schedule_type = 'SCHEDULE_FROM_NOW' or end_at is null) = 0
                then max(end_at)
        end as end_at,
    from ad_groups
    where not is_deleted
    group by connection, campaign_id
),
described as (
    select
        k.tenant_skey,
        k.tenant_slug,
        k.source_platform,
        k.connection,
        coalesce(
            k.account_id, {{ connection_account(tenant, 'tiktok_ads', 'k.connection') }}
        ) as account_id,
        k.campaign_id,
        k.campaign_name,
        case
            when right(k.secondary_status, 7) = '_DELETE' or k.status = 'DELETE' then 'removed'
            when k.status = 'ENABLE' then 'active'
            when k.status = 'DISABLE' then 'paused'
            else lower(k.status)
        end as status,
        k.objective,
        cast((r.start_at at time zone 'UTC') at time zone c.timezone as date) as start_date,
        {# The second before, because a run may end at the midnight that closes its last day. #}
        cast(((r.end_at - interval '1' second) at time zone 'UTC') at time zone c.timezone as date)
            as end_date,
        case
            when k.budget_mode in ('BUDGET_MODE_DAY', 'BUDGET_MODE_DYNAMIC_DAILY_BUDGET')
                then nullif(k.budget, 0)
        end as daily_budget,
        c.currency,
    from campaigns as k
    left join runs as r on r.connection = k.connection and r.campaign_id = k.campaign_id
    left join connections as c on c.connection = k.connection
    where not k.is_deleted
),
{{ finish_campaigns('described', ref('platform_mm__tiktok_ads_api_v1_campaigns'), tenant, 'tiktok_ads') }}
{% endmacro %}
