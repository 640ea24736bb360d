{#
    The last steps of an analytics engine: one row per connection, visitor and session. `relation`
    holds the events that belong to a session: tenant_slug, source_platform, connection, tenant_skey,
    visitor and session_key (which identify the session together), user_pseudo_id, occurred_at,
    source, medium, campaign (null where the event states none), session_number,
    is_conversion_event, funnel_step, and of purchases purchase_id, revenue and currency.

    Source, medium and campaign are those of the first event that states any; none is direct. A
    purchase that was sent again, by a reloaded page or in a later session, counts once, where it was
    seen first. Revenue in several currencies has no currency, so that it is never summed.
#}
{% macro finish_sessions(relation, tenant, platform) %}
connections as (
    {{ connection_rows(tenant, platform) | indent(4) }}
),
purchases as (
    select
        connection,
        purchase_id,
        arg_min({'visitor': visitor, 'session_key': session_key}, (occurred_at, tenant_skey)) as made_in,
        max(revenue) as revenue,
        max(currency) as currency,
    from {{ relation }}
    where purchase_id is not null
    group by all
),
revenues as (
    select
        connection,
        made_in.visitor,
        made_in.session_key,
        sum(revenue) as revenue,
        max(currency) as currency,
        count(distinct currency) as currency_count,
    from purchases
    group by all
),
sessions as (
    select
        tenant_slug,
        source_platform,
        connection,
        visitor,
        session_key,
        min(user_pseudo_id) as user_pseudo_id,
        min(occurred_at) as session_start_ts,
        max(occurred_at) as session_end_ts,
        {# One struct carries all first-touch columns: one arg_min instead of three. #}
        arg_min(
            {'source': source, 'medium': medium, 'campaign': campaign}, (occurred_at, tenant_skey)
        ) filter (source is not null or medium is not null or campaign is not null) as touch,
        count(*) as event_count,
        max(funnel_step) as funnel_step_reached,
        max(session_number) as session_number,
        bool_or(is_conversion_event) as is_conversion_session,
    from {{ relation }}
    group by all
),
canonical as (
    select
        s.tenant_slug,
        s.source_platform,
        s.connection,
        s.visitor || '.' || s.session_key as session_id,
        s.user_pseudo_id,
        s.session_start_ts,
        s.session_end_ts,
        {{ business_date('s.session_start_ts', tenant) }} as business_date,
        s.touch.source as traffic_source,
        s.touch.medium as traffic_medium,
        s.touch.campaign as traffic_campaign,
        s.event_count,
        s.funnel_step_reached,
        s.session_number,
        s.is_conversion_session,
        coalesce(r.revenue, 0) as session_revenue,
        case
            when coalesce(r.currency_count, 0) <= 1 then coalesce(r.currency, c.currency)
        end as currency,
    from sessions as s
    left join revenues as r
        on r.connection = s.connection
        and r.visitor = s.visitor
        and r.session_key = s.session_key
    left join connections as c on c.connection = s.connection
)
{{ select_canonical('canonical', 'sessions', canonical_columns('sessions') | map(attribute='name') | list) }}
{% endmacro %}
