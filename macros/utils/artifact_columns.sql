{# The histories of run metadata; append_only_columns knows them by name. #}
{% macro invocations_columns() %}
    {{ return([
        {'name': 'invocation_id', 'type': 'varchar'},
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'recorded_by', 'type': 'varchar'},
        {'name': 'arguments', 'type': 'json'},
        {'name': 'code_version', 'type': 'varchar'},
        {'name': 'started_at', 'type': 'timestamp'},
        {'name': 'seconds', 'type': 'double'},
        {'name': 'peak_memory_bytes', 'type': 'bigint'},
        {'name': 'status', 'type': 'varchar'},
        {'name': 'models_run', 'type': 'bigint'},
        {'name': 'models_failed', 'type': 'bigint'},
        {'name': 'models_skipped', 'type': 'bigint'},
        {'name': 'problem', 'type': 'varchar'},
    ]) }}
{% endmacro %}


{% macro model_artifacts_columns() %}
    {{ return([
        {'name': 'node_id', 'type': 'varchar'},
        {'name': 'name', 'type': 'varchar'},
        {'name': 'materialization', 'type': 'varchar'},
        {'name': 'schema_name', 'type': 'varchar'},
        {'name': 'path', 'type': 'varchar'},
        {'name': 'depends_on', 'type': 'json'},
        {'name': 'tags', 'type': 'json'},
        {'name': 'config', 'type': 'json'},
        {'name': 'definition_hash', 'type': 'varchar'},
        {'name': 'invocation_id', 'type': 'varchar'},
        {'name': 'captured_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro run_results_columns() %}
    {{ return([
        {'name': 'invocation_id', 'type': 'varchar'},
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'node_id', 'type': 'varchar'},
        {'name': 'name', 'type': 'varchar'},
        {'name': 'resource_type', 'type': 'varchar'},
        {'name': 'status', 'type': 'varchar'},
        {'name': 'message', 'type': 'varchar'},
        {'name': 'failures', 'type': 'bigint'},
        {'name': 'rows_affected', 'type': 'bigint'},
        {'name': 'execution_seconds', 'type': 'double'},
        {'name': 'started_at', 'type': 'timestamp'},
        {'name': 'captured_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro test_artifacts_columns() %}
    {{ return([
        {'name': 'node_id', 'type': 'varchar'},
        {'name': 'name', 'type': 'varchar'},
        {'name': 'target_models', 'type': 'json'},
        {'name': 'severity', 'type': 'varchar'},
        {'name': 'path', 'type': 'varchar'},
        {'name': 'definition_hash', 'type': 'varchar'},
        {'name': 'invocation_id', 'type': 'varchar'},
        {'name': 'captured_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}


{% macro source_freshness_columns() %}
    {{ return([
        {'name': 'invocation_id', 'type': 'varchar'},
        {'name': 'tenant_slug', 'type': 'varchar'},
        {'name': 'source_platform', 'type': 'varchar'},
        {'name': 'object', 'type': 'varchar'},
        {'name': 'connection', 'type': 'varchar'},
        {'name': 'newest_extracted_at', 'type': 'timestamp'},
        {'name': 'newest_load_id', 'type': 'varchar'},
        {'name': 'measured_at', 'type': 'timestamp'},
    ]) }}
{% endmacro %}
