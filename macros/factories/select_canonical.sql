{#
    Every column of a fact or dimension, in its one order and with its one type, from a relation
    that has some of them under the canonical name; the rest is typed null. `columns` are the names
    that the relation has.
#}
{% macro select_canonical(relation, table, columns) %}
select
{%- for column in canonical_columns(table) %}
    cast({{ column.name if column.name in columns else 'null' }} as {{ column.type }}) as {{ column.name }},
{%- endfor %}
from {{ relation }}
{%- endmacro %}


{# The typed empty table, for a tenant without a source of the domain. #}
{% macro empty_canonical(table) %}
select
{%- for column in canonical_columns(table) %}
    cast(null as {{ column.type }}) as {{ column.name }},
{%- endfor %}
where 1 = 0
{%- endmacro %}


{#
    The union of the engines of `sources`, or the typed empty table. Raises when a source has no
    engine: the scaffold passes only sources of the domain.
#}
{% macro union_of_engines(engine_map, table, tenant, sources) %}
{%- set selects = [] %}
{%- for source in sources %}
    {%- if engine_map.get(source) is none %}
        {{ exceptions.raise_compiler_error(
            table ~ " of " ~ tenant ~ ": no engine for the source '" ~ source ~ "'; there is one for: "
            ~ engine_map.keys() | list | sort | join(', ')
        ) }}
    {%- endif %}
    {%- do selects.append(engine_map[source]) %}
{%- endfor %}
{%- if selects %}
select * from (
{{ selects | join('\n) union all by name select * from (\n') }}
)
{%- else %}
{{ empty_canonical(table) }}
{%- endif %}
{%- endmacro %}
