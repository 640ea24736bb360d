{# Appends the landed table's shape to the schema history when it differs from the newest one. #}
{% macro sync_to_schema_history(push, landing) %}
    {% set relation = source(landing.source, landing.table) %}
    {% set shape = landed_shape(relation) %}
    {% if shape is not none %}
        {% do run_query(insert_schema_version(push, landing, shape)) %}
    {% endif %}
{% endmacro %}


{% macro insert_schema_version(push, landing, shape) %}
    {% set history = ref('platform_sat__source_schema_history') %}
    insert into {{ history }} ({{ schema_history_columns() | map(attribute='name') | join(', ') }})
    select
        '{{ push.tenant }}',
        '{{ push.platform }}',
        '{{ landing.connection }}',
        '{{ push.object }}',
        '{{ landing.table }}',
        coalesce((
            select max(version_number)
            from {{ history }}
            where tenant_slug = '{{ push.tenant }}' and landed_table = '{{ landing.table }}'
        ), 0) + 1,
        '{{ shape.source_schema_hash }}',
        '{{ shape.schema_family_hash }}',
        '{{ tojson(shape.columns) | replace("'", "''") }}',
        cast(current_timestamp at time zone 'UTC' as timestamp),
    where '{{ shape.source_schema_hash }}' is distinct from (
        select arg_max(source_schema_hash, version_number)
        from {{ history }}
        where tenant_slug = '{{ push.tenant }}' and landed_table = '{{ landing.table }}'
    )
{% endmacro %}
