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
        tenant_slug,
        source_platform,
        connection,
        account_id,
        report_date,
        campaign_id,
        ad_group_id,
        ad_id,
        -- a metric that is zero is left out of the row
        coalesce(sum(spend), 0) as spend,
        coalesce(sum(impressions), 0) as impressions,
        coalesce(sum(clicks), 0) as clicks,
        sum(action_count) as conversions,
        sum(action_value) as conversion_value,
        max(currency) as row_currency,
        case
            when ad_id is not null then 'ad'
            when ad_group_id is not null then 'ad_group'
            else 'campaign'
        end as grain,
        max(attribution_setting) as row_attribution_setting,
    from counted
    group by all
),
described as (
    select
        r.*,
        coalesce(r.row_currency, c.currency) as currency,
        c.timezone as account_timezone,
        coalesce(r.row_attribution_setting, c.attribution_window) as attribution_setting,
    from reported as r
    left join connections as c on c.connection = r.connection
)
{{ select_canonical('described', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{#
    Budgets are in the currency's minor unit, and in whole units where it has none. The currency
    itself stands only in the insights. A start is a moment: its day is the account's.
    Source: Marketing API, Currencies.
#}
{% macro meta_campaigns(tenant, platform) %}
{%- set without_minor_unit = ['CLP', 'COP', 'CRC', 'HUF', 'IDR', 'ISK', 'JPY', 'KRW', 'PYG', 'TWD', 'VND'] -%}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_campaigns') }}
),
insights as (
    select * from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_facebook_insights') }}
),
connections as (
    {{ connection_rows(tenant, platform) | indent(4) }}
),
accounts as (
    select connection, account_id, max(currency) as currency
    from insights
    where not is_deleted
    group by connection, account_id
),
budgeted as (
    select
        k.*,
        nullif(k.daily_budget_cents, 0) as daily_budget_minor,
        coalesce(a.currency, c.currency) as currency,
        coalesce(c.timezone, 'UTC') as timezone,
    from campaigns as k
    left join accounts as a on a.connection = k.connection and a.account_id = k.account_id
    left join connections as c on c.connection = k.connection
    where not k.is_deleted
),
described as (
    select
        tenant_skey,
        tenant_slug,
        source_platform,
        connection,
        account_id,
        campaign_id,
        campaign_name,
        case upper(status)
            when 'ACTIVE' then 'active'
            when 'PAUSED' then 'paused'
            when 'ARCHIVED' then 'removed'
            when 'DELETED' then 'removed'
            else lower(status)
        end as status,
        objective,
        cast((start_at at time zone 'UTC') at time zone timezone as date) as start_date,
        cast((end_at at time zone 'UTC') at time zone timezone as date) as end_date,
        case
            when currency in ({{ sql_literals(without_minor_unit) }}) then daily_budget_minor
            else daily_budget_minor * 0.01
        end as daily_budget,
        currency,
    from budgeted
),
{{ finish_campaigns('described', ref('platform_mm__facebook_ads_api_v1_campaigns'), tenant, platform) }}
{% endmacro %}
