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
