{# The campaigns of every ad platform of the tenant; `sources` is the list of their names. #}
{% macro build_dim_campaigns(tenant, sources) %}
{{ union_of_engines(campaigns_engine_map(tenant, sources), 'campaigns', tenant, sources) }}
{% endmacro %}
