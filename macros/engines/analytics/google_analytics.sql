{#
    GA4 events to sessions. `ga_session_id` is unique only together with `user_pseudo_id`; without
    consent there is no user id, and all those visitors are not one person: no session. A purchase
    without a transaction id is one of its own.

    Source and campaign: the session's own (last click) where the export has it, else those of the
    event. `traffic_source` of the export is the user's first touch ever and says nothing about the
    session. '(direct)', '(none)' and '(not set)' state nothing. Source of the facts: BigQuery Export
    schema for GA4.
#}
{% macro engine_google_analytics(tenant, sources) %}
with
events as (
    select * from {{ ref('int_' ~ tenant ~ '__google_analytics_events') }}
),
marked as (
    select
        tenant_slug,
        source_platform,
        connection,
        tenant_skey,
        user_pseudo_id as visitor,
        ga_session_id as session_key,
        user_pseudo_id,
        occurred_at,
        coalesce(
            {{ ga_stated('session_source') }}, {{ ga_stated('utm_source') }}, {{ ga_stated('param_source') }}
        ) as source,
        coalesce(
            {{ ga_stated('session_medium') }}, {{ ga_stated('utm_medium') }}, {{ ga_stated('param_medium') }}
        ) as medium,
        coalesce(
            {{ ga_stated('session_campaign') }}, {{ ga_stated('utm_campaign') }}, {{ ga_stated('param_campaign') }}
        ) as campaign,
        ga_session_number as session_number,
        is_conversion_event,
        funnel_step,
        case when event_name = 'purchase' then coalesce(
            {{ ga_stated('transaction_id') }}, {{ ga_stated('param_transaction_id') }}, tenant_skey
        ) end as purchase_id,
        purchase_revenue as revenue,
        currency,
    from events
    where not is_deleted and user_pseudo_id <> '' and ga_session_id <> ''
),
{{ finish_sessions('marked', tenant, 'google_analytics') }}
{% endmacro %}


{# A text of GA4, null where it is one of the words for "nothing". #}
{% macro ga_stated(column) -%}
    case when {{ column }} not in ('', '(direct)', '(none)', '(not set)') then {{ column }} end
{%- endmacro %}
