{#
    The column list of that name: {name, type, compressed?, computed?} each. `computed` names the
    macro that says, by the master's contract, what the column holds where the table is older.
#}
{% macro append_only_columns(columns_of) %}
    {% set lists = {
        'master': master_columns(),
        'push_ledger': push_ledger_columns(),
        'fact_refreshes': fact_refreshes_columns(),
        'quarantine_rows': quarantine_rows_columns(),
        'quarantine_decisions': quarantine_decisions_columns(),
        'schema_history': schema_history_columns(),
        'tenant_config_history': tenant_config_history_columns(),
        'hub_key_registry': hub_key_registry_columns(),
        'boring_semantic_layer': boring_semantic_layer_columns(),
        'invocations': invocations_columns(),
        'model_artifacts': model_artifacts_columns(),
        'run_results': run_results_columns(),
        'test_artifacts': test_artifacts_columns(),
        'source_freshness': source_freshness_columns(),
    } %}
    {% if columns_of not in lists %}
        {{ exceptions.raise_compiler_error(
            "append_only_columns: unknown list '" ~ columns_of ~ "'; valid: "
            ~ lists.keys() | join(', ')
        ) }}
    {% endif %}
    {{ return(lists[columns_of]) }}
{% endmacro %}


{% macro master_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar', 'partition': true},
        {'name': 'source_platform', 'type': 'varchar', 'partition': true},
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
        {'name': 'key_prefix', 'type': 'bigint', 'computed': 'stored_key_prefix'},
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


{% macro fact_refreshes_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'fact', 'type': 'varchar'},
        {'name': 'refresh_number', 'type': 'bigint'},
        {'name': 'rebuilt_because', 'type': 'varchar'},
        {'name': 'definition_digest', 'type': 'varchar'},
        {'name': 'index_digest', 'type': 'varchar'},
        {'name': 'ledger_rows', 'type': 'bigint'},
        {'name': 'ledger_pushed_at', 'type': 'timestamp'},
        {'name': 'parts', 'type': 'bigint'},
        {'name': 'fact_rows', 'type': 'bigint'},
        {'name': 'index_rows', 'type': 'bigint'},
        {'name': 'refreshed_at', 'type': 'timestamp'},
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


{% macro quarantine_decisions_columns() %}
    {{ return([
        {'name': 'quarantine_id', 'type': 'varchar'},
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'decision', 'type': 'varchar'},
        {'name': 'reason', 'type': 'varchar'},
        {'name': 'decided_by', 'type': 'varchar'},
        {'name': 'replayed_load_id', 'type': 'varchar'},
        {'name': 'replayed_load_row', 'type': 'bigint'},
        {'name': 'decided_at', 'type': 'timestamp'},
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
        {'name': 'difference', 'type': 'json'},
        {'name': 'verdict', 'type': 'varchar'},
        {'name': 'seen_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro tenant_config_history_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'version_number', 'type': 'bigint'},
        {'name': 'config_digest', 'type': 'varchar'},
        {'name': 'config', 'type': 'json'},
        {'name': 'seen_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro hub_key_registry_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'source_platform', 'type': 'varchar'},
        {'name': 'connection', 'type': 'varchar'},
        {'name': 'object', 'type': 'varchar'},
        {'name': 'tenant_skey', 'type': 'varchar'},
        {'name': 'load_id', 'type': 'varchar'},
        {'name': 'first_seen_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro boring_semantic_layer_columns() %}
    {{ return([
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'version_number', 'type': 'bigint'},
        {'name': 'definition_digest', 'type': 'varchar'},
        {'name': 'definition', 'type': 'json'},
        {'name': 'made_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}
