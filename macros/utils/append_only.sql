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


{% macro append_only_columns(columns_of) %}
    {% if columns_of == 'master' %}
        {{ return(master_columns()) }}
    {% elif columns_of == 'push_ledger' %}
        {{ return(push_ledger_columns()) }}
    {% elif columns_of == 'quarantine_rows' %}
        {{ return(quarantine_rows_columns()) }}
    {% elif columns_of == 'schema_history' %}
        {{ return(schema_history_columns()) }}
    {% endif %}
    {{ exceptions.raise_compiler_error(
        "append_only_columns: unknown list '" ~ columns_of
        ~ "'; valid: master, push_ledger, quarantine_rows, schema_history"
    ) }}
{% endmacro %}


{% macro master_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'source_platform', 'type': 'varchar'},
        {'name': 'tenant_skey', 'type': 'varchar'},
        {'name': 'source_schema_hash', 'type': 'varchar'},
        {'name': 'loaded_at', 'type': 'timestamp'},
        {'name': 'raw_data_payload', 'type': 'json', 'compressed': true},
        {'name': 'connection', 'type': 'varchar'},
        {'name': 'record_hash', 'type': 'uuid'},
        {'name': 'is_deleted', 'type': 'boolean'},
        {'name': 'extracted_at', 'type': 'timestamp'},
        {'name': 'load_id', 'type': 'varchar'},
        {'name': 'load_row', 'type': 'bigint'},
    ]) }}
{% endmacro %}


{% macro push_ledger_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'source_platform', 'type': 'varchar'},
        {'name': 'connection', 'type': 'varchar'},
        {'name': 'object', 'type': 'varchar'},
        {'name': 'load_id', 'type': 'varchar'},
        {'name': 'landed_table', 'type': 'varchar'},
        {'name': 'source_schema_hash', 'type': 'varchar'},
        {'name': 'load_mode', 'type': 'varchar'},
        {'name': 'scope_start', 'type': 'date'},
        {'name': 'scope_end', 'type': 'date'},
        {'name': 'extracted_at', 'type': 'timestamp'},
        {'name': 'rows_landed', 'type': 'bigint'},
        {'name': 'rows_pushed', 'type': 'bigint'},
        {'name': 'rows_known', 'type': 'bigint'},
        {'name': 'rows_quarantined', 'type': 'bigint'},
        {'name': 'rows_erased', 'type': 'bigint'},
        {'name': 'rows_tombstoned', 'type': 'bigint'},
        {'name': 'pushed_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro quarantine_rows_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'source_platform', 'type': 'varchar'},
        {'name': 'connection', 'type': 'varchar'},
        {'name': 'object', 'type': 'varchar'},
        {'name': 'load_id', 'type': 'varchar'},
        {'name': 'load_row', 'type': 'bigint'},
        {'name': 'error', 'type': 'varchar'},
        {'name': 'path', 'type': 'varchar'},
        {'name': 'raw_record', 'type': 'varchar', 'compressed': true},
        {'name': 'quarantined_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro schema_history_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'source_platform', 'type': 'varchar'},
        {'name': 'connection', 'type': 'varchar'},
        {'name': 'object', 'type': 'varchar'},
        {'name': 'landed_table', 'type': 'varchar'},
        {'name': 'version_number', 'type': 'bigint'},
        {'name': 'source_schema_hash', 'type': 'varchar'},
        {'name': 'schema_family_hash', 'type': 'varchar'},
        {'name': 'columns', 'type': 'json'},
        {'name': 'seen_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}
