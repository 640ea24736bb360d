{#
    A model's schema is exactly what its config says: one warehouse, five schemas. A run as of a past
    moment builds what it rebuilds in a schema of its own.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if var('as_of_schema', none) and custom_schema_name in ('intermediate', 'analytics') -%}
        {{ var('as_of_schema') }}
    {%- else -%}
        {{ custom_schema_name | trim if custom_schema_name else target.schema }}
    {%- endif -%}
{%- endmacro %}


{# The condition that a version was known at the moment of an as-of run; true for other runs. #}
{% macro known_then(loaded_at='loaded_at') -%}
    {{ loaded_at ~ " <= timestamp '" ~ var('as_of') ~ "'" if var('as_of', none) else 'true' }}
{%- endmacro %}
