{#
    The sessions of the tenant's one analytics platform. `events` are the conversion events that the
    generated shell was made with; the intermediate view marks them.
#}
{% macro build_fct_sessions(tenant, source, events) %}
-- conversion events: {{ events | join(', ') or 'none' }}
{{ union_of_engines(analytics_engine_map(tenant, [source]), 'sessions', tenant, [source] if source else []) }}
{% endmacro %}
