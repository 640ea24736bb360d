{# Every shop of the tenant in one fact; `sources` is the list of their names. #}
{% macro build_fct_orders(tenant, sources) %}
{{ union_of_engines(ecommerce_engine_map(tenant, sources), 'orders', tenant, sources) }}
{% endmacro %}
