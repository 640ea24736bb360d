{#
    The condition that the tenant's filters for a table make; `true` without any. The vocabulary of
    tenants.yaml is closed (field, op, value), so no text of a configuration is ever run as SQL.
#}
{% macro apply_tenant_logic(slug, platform, table) -%}
    {%- set conditions = [] -%}
    {%- for filter in get_client_logic(slug, platform, table).get('filters', []) -%}
        {%- do conditions.append(filter_condition(filter)) -%}
    {%- endfor -%}
    {{ conditions | join(' and ') if conditions else 'true' }}
{%- endmacro %}


{% macro filter_condition(filter) -%}
    {%- set field = adapter.quote(filter.field) -%}
    {%- set operators = {'eq': '=', 'ne': 'is distinct from', 'gt': '>', 'gte': '>=', 'lt': '<', 'lte': '<='} -%}
    {%- if filter.op in operators -%}
        {{ field }} {{ operators[filter.op] }} {{ sql_literal(filter.value) }}
    {%- elif filter.op == 'in' -%}
        {{ field }} in ({{ sql_literals(filter.value) }})
    {%- elif filter.op == 'not_in' -%}
        coalesce({{ field }} not in ({{ sql_literals(filter.value) }}), true)
    {%- elif filter.op == 'contains' -%}
        contains({{ field }}, {{ sql_literal(filter.value) }})
    {%- elif filter.op == 'not_contains' -%}
        coalesce(not contains({{ field }}, {{ sql_literal(filter.value) }}), true)
    {%- elif filter.op == 'is_null' -%}
        {{ field }} is null
    {%- else -%}
        {{ field }} is not null
    {%- endif -%}
{%- endmacro %}


{% macro sql_literal(value) -%}
    {%- if value is boolean or value is number -%}
        {{ value | lower }}
    {%- else -%}
        '{{ value | replace("'", "''") }}'
    {%- endif -%}
{%- endmacro %}


{% macro sql_literals(values) -%}
    {%- for value in values %}{{ sql_literal(value) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
