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
        {{ column.name }} {{ column.type }}{{ ' using compression zstd' if column.compressed }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    )
{% endmacro %}


{# The typed, empty query that stands for an append-only table in the graph. #}
{% macro append_only_model(columns_of) %}
    select
    {%- for column in append_only_columns(columns_of) %}
        cast(null as {{ column.type }}) as {{ column.name }},
    {%- endfor %}
    where false
{% endmacro %}
