{# The end of a run is exclusive: the last day is the one that the second before it lies in. #}
{% macro campaigns_linkedin_ads(tenant, sources) %}
with
campaign_groups as (
    select * from {{ ref('int_' ~ tenant ~ '__linkedin_ads_campaign_groups') }}
),
connections as (
    {{ connection_rows(tenant, 'linkedin_ads') | indent(4) }}
),
described as (
    select
        k.tenant_skey,
        k.tenant_slug,
        k.source_platform,
        k.connection,
        {{ urn_id("coalesce(k.account_urn, " ~ connection_account(tenant, 'linkedin_ads', 'k.connection') ~ ")") }} as account_id,
        k.campaign_id,
        k.campaign_name,
        case upper(k.status)
            when 'ACTIVE' then 'active'
            when 'PAUSED' then 'paused'
            when 'ARCHIVED' then 'removed'
            when 'CANCELED' then 'removed'
            when 'PENDING_DELETION' then 'removed'
            when 'REMOVED' then 'removed'
            else lower(k.status)
        end as status,
        k.objective,
        cast(k.start_at as date) as start_date,
        cast(k.end_at - interval '1' second as date) as end_date,
        k.daily_budget,
        coalesce(k.currency, c.currency) as currency,
    from campaign_groups as k
    left join connections as c on c.connection = k.connection
    where not k.is_deleted
),
{{ finish_campaigns('described', ref('platform_mm__linkedin_ads_api_v1_campaign_groups'), tenant, 'linkedin_ads') }}
{% endmacro %}
