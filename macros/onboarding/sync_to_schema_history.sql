{#
    Appends the landed table's shape to the schema history when it differs from the newest one.
    A shape that comes back is a new version; the same shape again is none. Versions are numbered in
    the order they are seen, which no clock decides.
#}
{% macro sync_to_schema_history(push, landing, shape) %}
    {% set newest = run_query(
        "select source_schema_hash, columns, version_number from " ~ ref('platform_sat__source_schema_history')
        ~ " where tenant_slug = '" ~ push.tenant ~ "' and landed_table = '" ~ landing.table
        ~ "' order by version_number desc limit 1"
    ).rows %}
    {% set before = newest[0] if newest else ['', '[]', 0] %}
    {% if before[0] != shape.source_schema_hash %}
        {% set difference = shape_difference(fromjson(before[1]), shape.columns) if newest else none %}
        {% do run_query(insert_schema_version(push, landing, shape, before[2] + 1, difference)) %}
    {% endif %}
{% endmacro %}


{# What changed between two column lists: {added, removed, retyped: [[name, before, after]]}. #}
{% macro shape_difference(before, after) %}
    {% set old = {} %}
    {% set new = {} %}
    {% for column in before %}{% do old.update({column.name | lower: column.type}) %}{% endfor %}
    {% for column in after %}{% do new.update({column.name | lower: column.type}) %}{% endfor %}
    {% set retyped = [] %}
    {% for name, type in new.items() | sort if name in old and old[name] != type %}
        {% do retyped.append([name, old[name], type]) %}
    {% endfor %}
    {{ return({
        'added': new.keys() | reject('in', old) | sort,
        'removed': old.keys() | reject('in', new) | sort,
        'retyped': retyped,
    }) }}
{% endmacro %}


{% macro insert_schema_version(push, landing, shape, version_number, difference) %}
    insert into {{ ref('platform_sat__source_schema_history') }}
        ({{ schema_history_columns() | map(attribute='name') | join(', ') }})
    select
        '{{ push.tenant }}',
        '{{ push.platform }}',
        '{{ landing.connection }}',
        '{{ push.object }}',
        '{{ landing.table }}',
        {{ version_number }},
        '{{ shape.source_schema_hash }}',
        '{{ shape.schema_family_hash }}',
        {{ sql_literal(tojson(shape.columns)) }},
        {{ sql_literal(tojson(difference)) if difference else 'null' }},
        (
            select arg_max(verdict, decided_at)
            from {{ source('platform', 'routing_decisions') }}
            where
                tenant_slug = '{{ push.tenant }}'
                and landed_table = '{{ landing.table }}'
                and source_schema_hash = '{{ shape.source_schema_hash }}'
        ),
        cast(current_timestamp at time zone 'UTC' as timestamp),
{% endmacro %}
