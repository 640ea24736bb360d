{#
    A budget is a daily one in two of the budget modes only. A campaign has no dates: it runs from
    the first start to the last end of its ad groups, in the account's zone, and without an end
    where one of them has none (TikTok then states an end ten years on).
#}
{% macro campaigns_tiktok_ads(tenant, sources) %}
with
campaigns as (
    select * from {{ ref('int_' ~ tenant ~ '__tiktok_ads_campaigns') }}
),
ad_groups as (
    select * from {{ ref('int_' ~ tenant ~ '__tiktok_ads_ad_groups') }}
),
connections as (
    {{ connection_rows(tenant, 'tiktok_ads') | indent(4) }}
),
runs as (
    select
        connection,
        campaign_id,
        min(start_at) as start_at,
        case
            when count(*) filter (where schedule_type = 'SCHEDULE_FROM_NOW' or end_at is null) = 0
                then max(end_at)
        end as end_at,
    from ad_groups
    where not is_deleted
    group by connection, campaign_id
),
described as (
    select
        k.tenant_skey,
        k.tenant_slug,
        k.source_platform,
        k.connection,
        coalesce(
            k.account_id, {{ connection_account(tenant, 'tiktok_ads', 'k.connection') }}
        ) as account_id,
        k.campaign_id,
        k.campaign_name,
        case
            when right(k.secondary_status, 7) = '_DELETE' or k.status = 'DELETE' then 'removed'
            when k.status = 'ENABLE' then 'active'
            when k.status = 'DISABLE' then 'paused'
            else lower(k.status)
        end as status,
        k.objective,
        cast((r.start_at at time zone 'UTC') at time zone c.timezone as date) as start_date,
        {# The second before, because a run may end at the midnight that closes its last day. #}
        cast(((r.end_at - interval '1' second) at time zone 'UTC') at time zone c.timezone as date)
            as end_date,
        case
            when k.budget_mode in ('BUDGET_MODE_DAY', 'BUDGET_MODE_DYNAMIC_DAILY_BUDGET')
                then nullif(k.budget, 0)
        end as daily_budget,
        c.currency,
    from campaigns as k
    left join runs as r on r.connection = k.connection and r.campaign_id = k.campaign_id
    left join connections as c on c.connection = k.connection
    where not k.is_deleted
),
{{ finish_campaigns('described', ref('platform_mm__tiktok_ads_api_v1_campaigns'), tenant, 'tiktok_ads') }}
{% endmacro %}
