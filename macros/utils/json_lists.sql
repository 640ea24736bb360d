{# A JSON list of {key, value: {<fields>}} objects as a typed list, to look entries up in. #}
{% macro json_key_values(expression, fields) -%}
    {{ return(adapter.dispatch('json_key_values', 'martlet')(expression, fields)) }}
{%- endmacro %}

{% macro default__json_key_values(expression, fields) -%}
    from_json({{ expression }}, '[{"key": "VARCHAR", "value": {% raw %}{{% endraw %}{% for field in fields %}"{{ field }}": "VARCHAR"{{ ', ' if not loop.last }}{% endfor %}{% raw %}}{% endraw %}}]')
{%- endmacro %}


{# Of the entry `key` in such a typed list, the first of `fields` that is not null, as text. #}
{% macro key_value(list, key, fields) -%}
    {{ return(adapter.dispatch('key_value', 'martlet')(list, key, fields)) }}
{%- endmacro %}

{% macro default__key_value(list, key, fields) -%}
    list_transform(list_filter({{ list }}, lambda e: e.key = '{{ key }}'), lambda e: coalesce({% for field in fields %}e.value.{{ field }}{{ ', ' if not loop.last }}{% endfor %}))[1]
{%- endmacro %}


{#
    The sum of `value_field` over those objects of a JSON list whose `key_field` is one of `keys`,
    as decimal; zero when none is. Meta's `actions` repeat one purchase under several types: the
    caller names the types that count.
#}
{% macro json_list_sum(expression, key_field, keys, value_field) -%}
    {{ return(adapter.dispatch('json_list_sum', 'martlet')(expression, key_field, keys, value_field)) }}
{%- endmacro %}

{% macro default__json_list_sum(expression, key_field, keys, value_field) -%}
    cast(coalesce(list_sum(list_transform(
        list_filter(
            from_json({{ expression }}, '[{"{{ key_field }}": "VARCHAR", "{{ value_field }}": "VARCHAR"}]'),
            lambda e: e."{{ key_field }}" in ({% for k in keys %}'{{ k | replace("'", "''") }}'{{ ', ' if not loop.last }}{% else %}''{% endfor %})
        ),
        lambda e: try_cast(e."{{ value_field }}" as decimal(18, 6))
    )), 0) as decimal(18, 6))
{%- endmacro %}


{#
    The decimal sum of `value_field` over the objects that a JSON path with wildcards finds, of those
    whose fields equal `where` ({field: text}); zero when there is none.
    {{ '{{' }} json_objects_sum('refunds', '$[*].transactions[*]', 'amount', {'kind': 'refund'}) {{ '}}' }}
#}
{% macro json_objects_sum(expression, path, value_field, where={}) -%}
    {{ return(adapter.dispatch('json_objects_sum', 'martlet')(expression, path, value_field, where)) }}
{%- endmacro %}

{% macro default__json_objects_sum(expression, path, value_field, where) -%}
    {%- set objects = "json_extract(" ~ expression ~ ", '" ~ path ~ "')" -%}
    {%- set conditions = [] -%}
    {%- for field, value in where.items() -%}
        {%- do conditions.append("json_extract_string(e, '$." ~ field ~ "') = '" ~ value ~ "'") -%}
    {%- endfor -%}
    {%- set chosen = "list_filter(" ~ objects ~ ", lambda e: " ~ conditions | join(' and ') ~ ")" if conditions else objects -%}
    cast(coalesce(list_sum(list_transform({{ chosen }}, lambda e: try_cast(json_extract_string(e, '$.{{ value_field }}') as decimal(18, 6)))), 0) as decimal(18, 6))
{%- endmacro %}
