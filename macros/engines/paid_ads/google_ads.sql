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


{# Micros as units, exactly: no double on the way. #}
{% macro from_micros(micros) -%}
cast({{ micros }} as decimal(18, 0)) * 0.000001
{%- endmacro %}
