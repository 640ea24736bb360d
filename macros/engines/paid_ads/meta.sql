{#
    Facebook and Instagram are one API and often one account: an insight row belongs to the platform
    that showed the ad (`publisher_platform`). Each engine takes its own slice, so that an account
    delivered twice is not counted twice.

    `actions` repeats one purchase under several types (purchase, omni_purchase, ...): only the types
    that the connection names are summed; without any, purchases seen by the pixel.
    Source of the defaults: Marketing API, Ads Action Stats.
#}
{% macro meta_insights(tenant, platform, slice) %}
{%- set purchases = ['offsite_conversion.fb_pixel_purchase'] -%}
with
insights as (
    select * from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_facebook_insights') }}
),
connections as (
    {{ connection_rows(tenant, platform) | indent(4) }}
),
counted as (
    select
        *,
        {{ connection_actions_sum(tenant, platform, 'actions', purchases) }} as action_count,
        {{ connection_actions_sum(tenant, platform, 'action_values', purchases) }} as action_value,
    from insights
    where not is_deleted and {{ slice }}
),
reported as (
    select
        i.tenant_slug,
        i.source_platform,
        i.connection,
        i.account_id,
        i.report_date,
        i.campaign_id,
        i.ad_group_id,
        i.ad_id,
        sum(i.spend) as spend,
        sum(i.impressions) as impressions,
        sum(i.clicks) as clicks,
        sum(i.action_count) as conversions,
        sum(i.action_value) as conversion_value,
        any_value(coalesce(i.currency, c.currency)) as currency,
        case
            when i.ad_id is not null then 'ad'
            when i.ad_group_id is not null then 'ad_group'
            else 'campaign'
        end as grain,
        any_value(c.timezone) as account_timezone,
        any_value(coalesce(i.attribution_setting, c.attribution_window)) as attribution_setting,
    from counted as i
    left join connections as c on c.connection = i.connection
    group by all
)
{{ select_canonical('reported', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{# Budgets are in the currency's minor unit; the currency itself stands only in the insights. #}
{% macro meta_campaigns(tenant, platform) %}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns') }}
),
connections as (
    {{ connection_rows(tenant, platform) | indent(4) }}
),
described as (
    select
        k.tenant_skey,
        k.tenant_slug,
        k.source_platform,
        k.connection,
        k.account_id,
        k.campaign_id,
        k.campaign_name,
        case upper(k.status)
            when 'ACTIVE' then 'active'
            when 'PAUSED' then 'paused'
            when 'ARCHIVED' then 'removed'
            when 'DELETED' then 'removed'
            else lower(k.status)
        end as status,
        k.objective,
        cast(k.start_at as date) as start_date,
        cast(k.end_at as date) as end_date,
        nullif(k.daily_budget_cents, 0) / 100 as daily_budget,
        c.currency,
    from campaigns as k
    left join connections as c on c.connection = k.connection
    where not k.is_deleted
),
{{ finish_campaigns('described', ref('platform_mm__facebook_ads_api_v1_campaigns'), tenant, platform) }}
{% endmacro %}
