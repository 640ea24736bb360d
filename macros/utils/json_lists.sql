{#
    A JSON list of {key, value: {<fields>}} objects, one of the lists of the plan, as a typed list.
    A list that a loader landed as text is parsed by itself.
#}
{% macro json_key_values(expression, plan, path, fields) -%}
    {{ return(adapter.dispatch('json_key_values', 'martlet')(expression, plan, path, fields)) }}
{%- endmacro %}

{% macro default__json_key_values(expression, plan, path, fields) -%}
    {%- set text = json_text(expression, path | replace("'", "''")) -%}
    {%- set parsed = "from_json(case when json_valid(" ~ text ~ ") then " ~ text ~ " end, '" ~ json_key_values_type(fields) ~ "')" -%}
    {{ once('coalesce(_f' ~ json_place(plan, path) ~ ', ' ~ parsed ~ ')' if path in plan.lists else parsed) }}
{%- endmacro %}

{% macro json_key_values_type(fields) -%}
    [{"key": "VARCHAR", "value": {% raw %}{{% endraw %}{% for field in fields %}"{{ field }}": "VARCHAR"{{ ', ' if not loop.last }}{% endfor %}{% raw %}}}]{% endraw %}
{%- endmacro %}


{# The keys of such a list, in its order. #}
{% macro json_keys_of(list) -%}
    {{ return(adapter.dispatch('json_keys_of', 'martlet')(list)) }}
{%- endmacro %}

{% macro default__json_keys_of(list) -%}
    {{ once('list_transform(' ~ list ~ ', lambda e: e.key)') }}
{%- endmacro %}


{# Of the first entry `key` in such a list, whose keys are `keys`, the first of `fields` that is not null, as text. #}
{% macro key_value(list, keys, key, fields) -%}
    {{ return(adapter.dispatch('key_value', 'martlet')(list, keys, key, fields)) }}
{%- endmacro %}

{% macro default__key_value(list, keys, key, fields) -%}
    {%- set value = list ~ "[list_position(" ~ keys ~ ", '" ~ key ~ "')].value." -%}
    {{ value ~ fields[0] if fields | length == 1 else 'coalesce(' ~ value ~ fields | join(', ' ~ value) ~ ')' }}
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
