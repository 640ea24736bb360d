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
