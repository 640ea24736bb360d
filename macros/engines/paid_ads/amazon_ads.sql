{#
    Amazon's product ads carry no metrics: every fact is from the advertised product report. It
    counts purchases and sales once per attribution window, and a longer window contains the
    shorter: one is chosen, by the connection's attribution_window, and 14 days without one.
    Figures of the very product that was advertised (same SKU) are a part of them.
    Source of the facts: Reporting API v3, spAdvertisedProduct.
#}
{% macro engine_amazon_ads(tenant, sources) %}
{%- set window_days = 'coalesce(c.window_days, 14)' -%}
with
product_days as (
    select * from {{ ref('int_' ~ tenant ~ '__amazon_ads_sponsored_products_advertised_product_report') }}
),
connections as (
    select
        *,
        case
            when attribution_window like '1d%' then 1
            when attribution_window like '7d%' then 7
            when attribution_window like '30d%' then 30
            else 14
        end as window_days,
    from (
        {{ connection_rows(tenant, 'amazon_ads') | indent(8) }}
    )
),
reported as (
    select
        d.tenant_slug,
        d.source_platform,
        d.connection,
        coalesce(d.account_id, {{ connection_account(tenant, 'amazon_ads', 'd.connection') }}) as account_id,
        d.report_date,
        d.campaign_id,
        d.ad_group_id,
        d.ad_id,
        d.cost as spend,
        d.impressions,
        d.clicks,
        {{ attributed('d.purchases_', window_days) }} as conversions,
        {{ attributed('d.sales_', window_days) }} as conversion_value,
        coalesce(d.currency, c.currency) as currency,
        'ad' as grain,
        c.timezone as account_timezone,
        {{ window_days }} || 'd' as attribution_setting,
    from product_days as d
    left join connections as c on c.connection = d.connection
    where not d.is_deleted
)
{{ select_canonical('reported', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{# The figure of the chosen window; a row that lacks it saw nothing. #}
{% macro attributed(columns, window_days) -%}
    coalesce(
            case {{ window_days }}
                when 1 then {{ columns }}1d
                when 7 then {{ columns }}7d
                when 14 then {{ columns }}14d
                when 30 then {{ columns }}30d
            end,
            0
        )
{%- endmacro %}
