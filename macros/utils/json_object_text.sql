{#
    The text of `value_field` in the first object that a JSON path with wildcards finds among those
    whose fields equal `where` ({field: text}); null when there is none.
    {{ '{{' }} json_object_text('meta_data', '$[*]', 'value', {'key': '_colour'}) {{ '}}' }}
#}
{% macro json_object_text(expression, path, value_field, where) -%}
    {{ return(adapter.dispatch('json_object_text', 'martlet')(expression, path, value_field, where)) }}
{%- endmacro %}

{% macro default__json_object_text(expression, path, value_field, where) -%}
    {%- set conditions = [] -%}
    {%- for field, value in where.items() -%}
        {%- do conditions.append("json_extract_string(e, '$." ~ field ~ "') = '" ~ value ~ "'") -%}
    {%- endfor -%}
    json_extract_string(list_filter(json_extract({{ expression }}, '{{ path }}'), lambda e: {{ conditions | join(' and ') }})[1], '$.{{ value_field }}')
{%- endmacro %}
