{#
    Budgets have the currency of the profile, which only the report states; not every loader tells
    the profile in the campaign either.
#}
{% macro campaigns_amazon_ads(tenant, sources) %}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__amazon_ads_sponsored_products_campaigns') }}
),
product_days as (
    select * from {{ ref('int_' ~ tenant ~ '__amazon_ads_sponsored_products_advertised_product_report') }}
),
connections as (
    {{ connection_rows(tenant, 'amazon_ads') | indent(4) }}
),
profiles as (
    select
        connection,
        campaign_id,
        max(account_id) as account_id,
        max(currency) as currency,
    from product_days
    where not is_deleted
    group by connection, campaign_id
),
described as (
    select
        k.tenant_skey,
        k.tenant_slug,
        k.source_platform,
        k.connection,
        coalesce(k.account_id, p.account_id, {{ connection_account(tenant, 'amazon_ads', 'k.connection') }}) as account_id,
        k.campaign_id,
        k.campaign_name,
        case upper(k.status)
            when 'ENABLED' then 'active'
            when 'PAUSED' then 'paused'
            when 'ARCHIVED' then 'removed'
            else lower(k.status)
        end as status,
        cast(null as varchar) as objective,
        k.start_date,
        k.end_date,
        case when upper(coalesce(k.budget_type, 'DAILY')) = 'DAILY' then k.budget end as daily_budget,
        coalesce(p.currency, c.currency) as currency,
    from campaigns as k
    left join profiles as p on p.connection = k.connection and p.campaign_id = k.campaign_id
    left join connections as c on c.connection = k.connection
    where not k.is_deleted
),
{{ finish_campaigns('described', ref('platform_mm__amazon_ads_api_v1_sponsored_products_campaigns'), tenant, 'amazon_ads') }}
{% endmacro %}
