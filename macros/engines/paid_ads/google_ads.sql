{#
    Google reports an ad's day in a row for each network and device: they are summed. Money is in
    micros. Campaigns without ads (Performance Max) are only in the campaign report, which contains
    every other campaign's spend again: of a campaign's day the finest report counts.

    Clients that drop defaults leave a zero out, so a missing figure of a report row is zero.
    `all_conversions` contains `conversions` and is not read. Currency and time zone are the
    customer's. Source: Google Ads API, metrics and segments of ad_group_ad and campaign.
#}
{% macro engine_google_ads(tenant, sources) %}
{%- set figures = ['cost_micros', 'impressions', 'clicks', 'conversions', 'conversion_value'] -%}
with
ad_performance as (
    select * from {{ ref('int_' ~ tenant ~ '__google_ads_ad_performance') }}
),
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__google_ads_campaigns') }}
),
customers as (
    select * from {{ ref('int_' ~ tenant ~ '__google_ads_customers') }}
),
connections as (
    {{ connection_rows(tenant, 'google_ads') | indent(4) }}
),
accounts as (
    {{ newest_google_accounts('customers') | indent(4) }}
),
reports as (
    select
        tenant_slug,
        source_platform,
        connection,
        account_id,
        report_date,
        campaign_id,
        ad_group_id,
        ad_id,
        currency,
        time_zone,
        {{ figures | join(', ') }},
    from ad_performance
    where not is_deleted
    union all
    -- the entity itself has no day, and a day without figures is no report
    select
        tenant_slug,
        source_platform,
        connection,
        {{ google_account('campaign_resource_name', tenant) }} as account_id,
        report_date,
        campaign_id,
        cast(null as varchar) as ad_group_id,
        cast(null as varchar) as ad_id,
        currency,
        cast(null as varchar) as time_zone,
        {{ figures | join(', ') }},
    from campaigns
    where
        not is_deleted
        and report_date is not null
        and coalesce({{ figures | join(', ') }}) is not null
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
        case
            when ad_id is not null then 'ad'
            when ad_group_id is not null then 'ad_group'
            else 'campaign'
        end as grain,
        {{ from_micros('coalesce(sum(cost_micros), 0)') }} as spend,
        coalesce(sum(impressions), 0) as impressions,
        coalesce(sum(clicks), 0) as clicks,
        coalesce(sum(conversions), 0) as conversions,
        coalesce(sum(conversion_value), 0) as conversion_value,
        max(currency) as row_currency,
        max(time_zone) as row_timezone,
    from reports
    group by all
),
finest as (
    {{ finest_grain('reported') | indent(4) }}
),
described as (
    select
        f.*,
        coalesce(f.row_currency, a.currency, c.currency) as currency,
        coalesce(f.row_timezone, a.time_zone, c.timezone) as account_timezone,
        c.attribution_window as attribution_setting,
    from finest as f
    left join accounts as a on a.connection = f.connection and a.account_id = f.account_id
    left join connections as c on c.connection = f.connection
)
{{ select_canonical('described', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{#
    The campaign comes once a day and network where it is landed as a report: what its newest
    record says holds for all of them. A budget that several campaigns share, or that is meant for
    the whole flight, is no campaign's daily budget.
#}
{% macro campaigns_google_ads(tenant, sources) %}
{%- set newest_words = ['campaign_name', 'status', 'objective', 'start_date', 'end_date', 'daily_budget_micros', 'currency'] -%}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__google_ads_campaigns') }}
),
customers as (
    select * from {{ ref('int_' ~ tenant ~ '__google_ads_customers') }}
),
connections as (
    {{ connection_rows(tenant, 'google_ads') | indent(4) }}
),
accounts as (
    {{ newest_google_accounts('customers') | indent(4) }}
),
owned as (
    select
        tenant_skey,
        tenant_slug,
        source_platform,
        connection,
        {{ google_account('campaign_resource_name', tenant) }} as account_id,
        campaign_id,
        campaign_name,
        status,
        objective,
        start_date,
        end_date,
        case
            when is_budget_shared or budget_period <> 'DAILY' then null
            else daily_budget_micros
        end as daily_budget_micros,
        currency,
        extracted_at,
        report_date,
    from campaigns
    where not is_deleted
),
newest as (
    select
        tenant_skey,
        tenant_slug,
        source_platform,
        connection,
        account_id,
        campaign_id,
    {%- for word in newest_words %}
        first_value({{ word }}) over newest_first as {{ word }},
    {%- endfor %}
    from owned
    window newest_first as (
        partition by connection, account_id, campaign_id
        order by extracted_at desc, report_date desc nulls first, tenant_skey
    )
),
described as (
    select
        n.tenant_skey,
        n.tenant_slug,
        n.source_platform,
        n.connection,
        n.account_id,
        n.campaign_id,
        n.campaign_name,
        case upper(n.status) when 'ENABLED' then 'active' else lower(n.status) end as status,
        n.objective,
        n.start_date,
        -- Google's way to say that it never ends
        nullif(n.end_date, date '2037-12-30') as end_date,
        {{ from_micros('n.daily_budget_micros') }} as daily_budget,
        coalesce(n.currency, a.currency, c.currency) as currency,
    from newest as n
    left join accounts as a on a.connection = n.connection and a.account_id = n.account_id
    left join connections as c on c.connection = n.connection
),
{{ finish_campaigns('described', ref('platform_mm__google_ads_api_v1_campaigns'), tenant, 'google_ads') }}
{% endmacro %}


{# One row per account: some loaders repeat it for every day. #}
{% macro newest_google_accounts(customers) -%}
select connection, customer_id as account_id, currency, time_zone
from {{ customers }}
where not is_deleted
qualify row_number() over (
    partition by connection, customer_id
    order by extracted_at desc, report_date desc nulls first, tenant_skey
) = 1
{%- endmacro %}


{# The account of a row that may not state it: its resource name does, customers/{id}/campaigns/{id}. #}
{% macro google_account(resource_name, tenant) -%}
coalesce(account_id, nullif(split_part({{ resource_name }}, '/', 2), ''), {{ connection_account(tenant, 'google_ads') }})
{%- endmacro %}


{# Micros as units, exactly: no double on the way. #}
{% macro from_micros(micros) -%}
cast({{ micros }} as decimal(18, 0)) * 0.000001
{%- endmacro %}
