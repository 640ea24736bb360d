{#
    Mixpanel's events to sessions. There is no session id: a pause of 30 minutes or more ends one. The
    visitor is the device where it is sent, because `distinct_id` changes with the login in the middle
    of a visit; else the `distinct_id`. Events with neither belong to nobody.

    `time` is read as UTC. Source and campaign are the event's own properties; `$initial_referrer` is
    the visitor's first ever. Source of the facts: raw event export; Mixpanel's identity management.
#}
{% macro engine_mixpanel(tenant, sources) %}
with
events as (
    select * from {{ ref('int_' ~ tenant ~ '__mixpanel_events') }}
),
narrow as (
    select
        tenant_slug,
        source_platform,
        connection,
        tenant_skey,
        coalesce(nullif(device_id, ''), nullif(distinct_id, '')) as visitor,
        occurred_at,
        nullif(utm_source, '') as source,
        nullif(utm_medium, '') as medium,
        nullif(utm_campaign, '') as campaign,
        cast(null as bigint) as session_number,
        is_conversion_event,
        funnel_step,
        nullif(transaction_id, '') as transaction_id,
        case when event_name = 'purchase' or is_conversion_event then revenue end as revenue,
        nullif(currency, '') as currency,
    from events
    where not is_deleted
),
paused as (
    select
        *,
        occurred_at - lag(occurred_at) over (
            partition by connection, visitor order by occurred_at
        ) as silence,
    from narrow
    where visitor is not null and occurred_at is not null
),
marked as (
    select
        * exclude (silence, transaction_id),
        visitor as user_pseudo_id,
        {# Events of one second are peers: all of them get the session that any of them begins. #}
        max(
            case when silence < interval 30 minutes then null else cast(epoch(occurred_at) as bigint) end
        ) over (
            partition by connection, visitor
            order by occurred_at
            range between unbounded preceding and current row
        ) as session_key,
        case when revenue is not null then coalesce(transaction_id, tenant_skey) end as purchase_id,
    from paused
),
{{ finish_sessions('marked', tenant, 'mixpanel') }}
{% endmacro %}
