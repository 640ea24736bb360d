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
