{# One query parameter of a URL (or of its query string), decoded; null when it is not there. #}
{% macro url_parameter(url, name) -%}
    {{ return(adapter.dispatch('url_parameter', 'martlet')(url, name)) }}
{%- endmacro %}

{% macro default__url_parameter(url, name) -%}
    nullif(url_decode(replace(regexp_extract({{ url }}, '[?&]{{ name }}=([^&#]*)', 1), '+', ' ')), '')
{%- endmacro %}
