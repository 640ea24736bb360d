{#
    Microsoft reports an ad's day in a row for each device, network, match type and so on: they are
    summed. Money is in units. `ConversionsQualified` is the count with its fractions and goes before
    the whole number; the columns named All contain them and are not read. Days are those of the
    account, whose zone only the connection knows.
    Source: Microsoft Advertising Reporting API v13, AdPerformanceReportRequest.
#}
{% macro engine_bing_ads(tenant, sources) %}
with
ad_performance as (
    select * from {{ ref('int_' ~ tenant ~ '__bing_ads_ad_performance_report') }}
),
connections as (
    {{ connection_rows(tenant, 'bing_ads') | indent(4) }}
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
        sum(spend) as spend,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        coalesce(sum(coalesce(conversions_qualified, conversions)), 0) as conversions,
        coalesce(sum(conversion_value), 0) as conversion_value,
        max(currency) as row_currency,
    from ad_performance
    where not is_deleted
    group by all
),
described as (
    select
        r.*,
        coalesce(r.row_currency, c.currency) as currency,
        c.timezone as account_timezone,
        c.attribution_window as attribution_setting,
    from reported as r
    left join connections as c on c.connection = r.connection
)
{{ select_canonical('described', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{#
    Airbyte types a campaign's ids as numbers with a fraction: 353468743.0. A budget with an id of
    its own is shared by campaigns and no one's daily budget. The currency stands in the report only.
#}
{% macro campaigns_bing_ads(tenant, sources) %}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__bing_ads_campaigns') }}
),
ad_performance as (
    select * from {{ ref('int_' ~ tenant ~ '__bing_ads_ad_performance_report') }}
),
connections as (
    {{ connection_rows(tenant, 'bing_ads') | indent(4) }}
),
accounts as (
    select connection, account_id, max(currency) as currency
    from ad_performance
    where not is_deleted
    group by connection, account_id
),
owned as (
    select
        *,
        coalesce(account_id, {{ connection_account(tenant, 'bing_ads') }}) as owner_id,
        {{ without_fraction('campaign_id') }} as campaign,
        coalesce({{ without_fraction('budget_id') }}, '0') <> '0' as is_budget_shared,
    from campaigns
    where not is_deleted
),
described as (
    select
        k.tenant_skey,
        k.tenant_slug,
        k.source_platform,
        k.connection,
        k.owner_id as account_id,
        k.campaign as campaign_id,
        k.campaign_name,
        case lower(k.status)
            when 'budgetpaused' then 'paused'
            when 'budgetandmanualpaused' then 'paused'
            when 'deleted' then 'removed'
            else lower(k.status)
        end as status,
        k.objective,
        k.start_date,
        k.end_date,
        case when not k.is_budget_shared then k.daily_budget end as daily_budget,
        coalesce(a.currency, c.currency) as currency,
    from owned as k
    left join accounts as a on a.connection = k.connection and a.account_id = k.owner_id
    left join connections as c on c.connection = k.connection
),
{{ finish_campaigns('described', ref('platform_mm__bing_ads_api_v1_campaigns'), tenant, 'bing_ads') }}
{% endmacro %}


{# An id that a loader landed as a double: its digits alone. #}
{% macro without_fraction(id) -%}
case when {{ id }} like '%.0' then left({{ id }}, length({{ id }}) - 2) else {{ id }} end
{%- endmacro %}
