{#
    LinkedIn's hierarchy is shifted: its campaign group is a campaign here, its campaign an ad
    group, its creative an ad. References are URNs, of which the last part is the id.

    Both reports tell the same money, by creative and by campaign. An ad group's day is taken from
    its creatives; from the report by campaign where none of its creatives is reported any more.
    Creative rows that name no campaign (Airbyte asks for one pivot only) cannot be matched to it:
    they count on days for which the report by campaign has nothing.

    Conversions: on the website (post-click and post-view are its parts) plus leads from LinkedIn's
    own forms. A metric that a row leaves out did not happen.
    Source of the facts: Marketing API, adAnalytics.
#}
{% macro engine_linkedin_ads(tenant, sources) %}
with
by_creative as (
    select * from {{ ref('int_' ~ tenant ~ '__linkedin_ads_ad_analytics') }}
),
by_campaign as (
    select * from {{ ref('int_' ~ tenant ~ '__linkedin_ads_ad_analytics_by_campaign') }}
),
ad_groups as (
    select * from {{ ref('int_' ~ tenant ~ '__linkedin_ads_campaigns') }}
),
connections as (
    {{ connection_rows(tenant, 'linkedin_ads') | indent(4) }}
),
reports as (
    select *, 'ad' as grain
    from by_creative
    where not is_deleted
    union all by name
    select *, 'ad_group' as grain
    from by_campaign
    where not is_deleted
),
placed as (
    select
        r.tenant_slug,
        r.source_platform,
        r.connection,
        {{ urn_id("coalesce(r.account_urn, g.account_urn, " ~ connection_account(tenant, 'linkedin_ads', 'r.connection') ~ ")") }} as account_id,
        r.report_date,
        {{ urn_id('coalesce(r.campaign_urn, g.campaign_urn)') }} as campaign_id,
        {{ urn_id('r.ad_group_urn') }} as ad_group_id,
        {{ urn_id('r.ad_urn') }} as ad_id,
        r.grain,
        coalesce(r.cost_in_local_currency, 0) as spend,
        coalesce(r.impressions, 0) as impressions,
        coalesce(r.clicks, 0) as clicks,
        coalesce(r.external_website_conversions, 0) + coalesce(r.one_click_leads, 0) as conversions,
        coalesce(r.conversion_value_in_local_currency, 0) as conversion_value,
        coalesce(g.currency, c.currency) as currency,
        'UTC' as account_timezone, -- LinkedIn's days are UTC whatever the account's zone
        c.attribution_window as attribution_setting,
    from reports as r
    left join ad_groups as g
        on g.connection = r.connection and g.ad_group_id = {{ urn_id('r.ad_group_urn') }}
    left join connections as c on c.connection = r.connection
),
finest as (
    select *
    from placed
    qualify
        case
            when grain = 'ad_group'
                then count(*) filter (where grain = 'ad') over (
                    partition by connection, ad_group_id, report_date
                ) = 0
            when ad_group_id is null
                then count(*) filter (where grain = 'ad_group') over (
                    partition by connection, report_date
                ) = 0
            else true
        end
)
{{ select_canonical('finest', 'ad_performance', canonical_columns('ad_performance') | map(attribute='name') | list) }}
{% endmacro %}


{# urn:li:sponsoredCampaign:252074216 is 252074216; a bare id stays itself. #}
{% macro urn_id(expression) -%}
    nullif(split_part({{ expression }}, ':', -1), '')
{%- endmacro %}
