{#
    A table that only ever grows: created once from its column list, never emptied, not even by
    --full-refresh. The model's own query says its columns to readers and is never inserted; rows
    arrive through sync_to_master_hub.
#}
{% materialization append_only, default %}
    {% set existing = load_cached_relation(this) %}
    {% set columns = append_only_columns(config.require('columns_of')) %}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        {{ create_append_only_table(this, columns) }}
    {% endcall %}
    {% if existing is none %}
        {% do partition_table(this, columns) %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}


{% macro create_append_only_table(relation, columns) %}
    {{ return(adapter.dispatch('create_append_only_table', 'martlet')(relation, columns)) }}
{% endmacro %}

{% macro default__create_append_only_table(relation, columns) %}
    create table if not exists {{ relation }} (
    {%- for column in columns %}
        {{ column.name }} {{ column.type }}{{ ' using compression zstd' if column.compressed and not adapter.is_ducklake(relation) }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    )
{% endmacro %}


{#
    A lake keeps the rows of each value of the partition columns in files of their own; the embedded
    engine's zone maps need no such thing. A lake compresses every column as its catalogue says.
#}
{% macro partition_table(relation, columns) %}
    {{ return(adapter.dispatch('partition_table', 'martlet')(relation, columns)) }}
{% endmacro %}

{% macro default__partition_table(relation, columns) %}
    {% set names = columns | selectattr('partition') | map(attribute='name') | join(', ') %}
    {% if names and adapter.is_ducklake(relation) %}
        {% do run_query("alter table " ~ relation ~ " set partitioned by (" ~ names ~ ")") %}
    {% endif %}
{% endmacro %}


{# The typed, empty query that stands for an append-only table in the graph. #}
{% macro append_only_model(columns_of) %}
    select
    {%- for column in append_only_columns(columns_of) %}
        cast(null as {{ column.type }}) as {{ column.name }},
    {%- endfor %}
    where false
{% endmacro %}
