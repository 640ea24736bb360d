{#
    Amplitude's events to sessions. A session is (`amplitude_id`, `session_start_ms`): two people may
    begin in one millisecond. -1 is no session; server-side events, imports and advertising reports
    share it. The visitor shown is the device, or the person where there is none.

    Source and campaign are the event's own properties, else the parameters of the page that it was
    seen on. Those kept on the user are of the last tagged visit, whenever that was, and are not
    read. `revenue` is the amount; price times quantity stands in where it is missing, on events that
    are purchases by name. Source of the facts: Export API; Revenue of Amplitude's HTTP API.
#}
{% macro engine_amplitude(tenant, sources) %}
{%- set purchases = "event_name in ('purchase', 'revenue_amount')" -%}
with
events as (
    select * from {{ ref('int_' ~ tenant ~ '__amplitude_events') }}
),
in_session as (
    select
        *,
        case
            when {{ purchases }} then coalesce(revenue, unit_price * coalesce(quantity, 1))
            when is_conversion_event then revenue
        end as amount,
    from events
    where not is_deleted and amplitude_id <> '' and session_start_ms > 0
),
marked as (
    select
        tenant_slug,
        source_platform,
        connection,
        tenant_skey,
        amplitude_id as visitor,
        session_start_ms as session_key,
        coalesce(nullif(device_id, ''), amplitude_id) as user_pseudo_id,
        occurred_at,
        coalesce(nullif(utm_source, ''), {{ url_parameter('page_location', 'utm_source') }}) as source,
        coalesce(nullif(utm_medium, ''), {{ url_parameter('page_location', 'utm_medium') }}) as medium,
        coalesce(nullif(utm_campaign, ''), {{ url_parameter('page_location', 'utm_campaign') }}) as campaign,
        cast(null as bigint) as session_number,
        is_conversion_event,
        funnel_step,
        case when amount is not null then coalesce(nullif(transaction_id, ''), tenant_skey) end as purchase_id,
        amount as revenue,
        nullif(currency, '') as currency,
    from in_session
),
{{ finish_sessions('marked', tenant, 'amplitude') }}
{% endmacro %}
