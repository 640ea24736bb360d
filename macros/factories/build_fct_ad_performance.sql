{# Every ad platform of the tenant in one fact; `sources` is the list of their names. #}
{% macro build_fct_ad_performance(tenant, sources) %}
{{ union_of_engines(paid_ads_engine_map(tenant, sources), 'ad_performance', tenant, sources) }}
{% endmacro %}
