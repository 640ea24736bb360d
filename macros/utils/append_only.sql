{#
    A table that only ever grows: created once from its column list, never emptied, not even by
    --full-refresh. The model's own query says its columns to readers and is never inserted; rows
    arrive through sync_to_master_hub. A table of an earlier version gets the columns it lacks, filled
    from its rows, in the same transaction.
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
    {% else %}
        {% do add_computed_columns(this, columns | selectattr('computed', 'defined') | list) %}
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


{# Adds and fills those of the columns that the table lacks. Only what is computed can be filled. #}
{% macro add_computed_columns(relation, columns) %}
    {% if columns %}
        {{ return(adapter.dispatch('add_computed_columns', 'martlet')(relation, columns)) }}
    {% endif %}
{% endmacro %}

{% macro default__add_computed_columns(relation, columns) %}
    {% set contract = context[model.name | replace('platform_mm__', 'contract_')]() %}
    {% set present = run_query("select column_name from (describe " ~ relation ~ ")").columns[0].values() %}
    {% for column in columns if column.name not in present %}
        {% do log(relation ~ ': adds ' ~ column.name ~ ', once', info=true) %}
        {% do run_query("alter table " ~ relation ~ " add column " ~ column.name ~ " " ~ column.type) %}
        {% set value = context[column.computed](contract) %}
        {% if 'try(' in value or adapter.is_ducklake(relation) %}
            {# DuckDB 1.5 finds no column within a `try` that a change of type uses; a lake takes none. #}
            {% do run_query("update " ~ relation ~ " set " ~ column.name ~ " = " ~ value) %}
        {% else %}
            {# Writes that one column anew: an update would keep its old values beside. #}
            {% do run_query(
                "alter table " ~ relation ~ " alter column " ~ column.name ~ " set data type " ~ column.type
                ~ " using " ~ value
            ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}


{# The typed, empty query that stands for an append-only table in the graph. #}
{% macro append_only_model(columns_of) %}
    select
    {%- for column in append_only_columns(columns_of) %}
        cast(null as {{ column.type }}) as {{ column.name }},
    {%- endfor %}
    where false
{% endmacro %}
