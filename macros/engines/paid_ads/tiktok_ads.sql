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
