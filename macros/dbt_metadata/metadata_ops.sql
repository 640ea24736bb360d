{#
    Run metadata of a bare `dbt run`, appended to the histories of models/platform/observability.
    When Martlet's pipeline runs dbt, it records in bulk after dbt has ended, and the upload macros
    do nothing; the tables are made here for both, because a first run may fail before its models.
#}
{% macro init_artifact_tables() %}
    {% if execute %}
        {% do run_query("create schema if not exists ops") %}
        {% for table in ['invocations', 'model_artifacts', 'run_results', 'test_artifacts', 'source_freshness'] %}
            {% do run_query(create_append_only_table(artifact_relation(table), append_only_columns(table))) %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{% macro artifact_relation(table) %}
    {{ return(api.Relation.create(database=target.database, schema='ops', identifier=table)) }}
{% endmacro %}


{# Whether this run records itself. What a run as of a past moment builds is not the current state. #}
{% macro records_itself() %}
    {{ return(execute and env_var('MARTLET_RECORDER', 'hook') == 'hook' and not var('as_of', none)) }}
{% endmacro %}


{# The models of these results; without results, all of the graph. #}
{% macro upload_model_definitions(results=none) %}
    {% if records_itself() %}
        {% set ran = results | map(attribute='node.unique_id') | list if results is not none else graph.nodes.keys() | list %}
        {% set rows = [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'model' and node.unique_id in ran %}
            {% set definition = {
                'name': node.name,
                'materialization': node.config.materialized,
                'schema_name': node.schema,
                'path': node.original_file_path,
                'depends_on': tojson(node.depends_on.nodes),
                'tags': tojson(node.tags),
                'config': tojson(node.config, sort_keys=true),
            } %}
            {% do rows.append(definition_row(node.unique_id, definition)) %}
        {% endfor %}
        {% do append_artifacts('model_artifacts', rows, only_changed=true) %}
    {% endif %}
{% endmacro %}


{% macro upload_run_results(results) %}
    {% if records_itself() %}
        {% set rows, ended_at = [], captured_at() %}
        {% for result in results if result.node.resource_type != 'operation' %}
            {% do rows.append({
                'invocation_id': invocation_id,
                'tenant_slug': tenant_of_path(result.node.original_file_path),
                'node_id': result.node.unique_id,
                'name': result.node.name,
                'resource_type': result.node.resource_type | string,
                'status': result.status | string,
                'message': result.message,
                'failures': result.failures,
                'rows_affected': result.adapter_response.get('rows_affected'),
                'execution_seconds': result.execution_time,
                'started_at': (result.timing | map(attribute='started_at') | reject('none') | map('string') | list + [none]) | first,
                'captured_at': ended_at,
            }) %}
        {% endfor %}
        {% do append_artifacts('run_results', rows) %}
        {% do append_artifacts('invocations', [invocation_row(results)]) %}
    {% endif %}
{% endmacro %}


{# The tests that ran, and those of the models that ran. #}
{% macro upload_test_definitions(results=none) %}
    {% if records_itself() %}
        {% set ran = results | map(attribute='node.unique_id') | list if results is not none else graph.nodes.keys() | list %}
        {% set rows = [] %}
        {% for node in graph.nodes.values() if node.resource_type == 'test' %}
            {% if node.unique_id in ran or node.depends_on.nodes | select('in', ran) | list %}
                {% set definition = {
                    'name': node.name,
                    'target_models': tojson(node.depends_on.nodes),
                    'severity': node.config.severity,
                    'path': node.original_file_path,
                } %}
                {% do rows.append(definition_row(node.unique_id, definition)) %}
            {% endif %}
        {% endfor %}
        {% do append_artifacts('test_artifacts', rows, only_changed=true) %}
    {% endif %}
{% endmacro %}


{% macro definition_row(node_id, definition) %}
    {{ return(dict(
        definition,
        node_id=node_id,
        definition_hash=local_md5(tojson(definition, sort_keys=true)),
        invocation_id=invocation_id,
        captured_at=captured_at(),
    )) }}
{% endmacro %}


{% macro invocation_row(results) %}
    {% set models = results | selectattr('node.resource_type', 'equalto', 'model') | map(attribute='status') | map('string') | list %}
    {% set statuses = results | map(attribute='status') | map('string') | list %}
    {% set is_green = not statuses | reject('in', ['success', 'pass', 'warn']) | list %}
    {{ return({
        'invocation_id': invocation_id,
        'tenant_slug': env_var('MARTLET_TENANT', '') or none,
        'recorded_by': 'hook',
        'arguments': tojson(invocation_args_dict.get('invocation_command', '').split()),
        'started_at': run_started_at.replace(tzinfo=none) | string,
        'seconds': (modules.datetime.datetime.now(modules.pytz.utc) - run_started_at).total_seconds(),
        'status': 'success' if is_green else 'failed',
        'models_run': models | reject('equalto', 'skipped') | list | length,
        'models_failed': models | select('equalto', 'error') | list | length,
        'models_skipped': models | select('equalto', 'skipped') | list | length,
    }) }}
{% endmacro %}


{% macro captured_at() %}
    {{ return(modules.datetime.datetime.now(modules.pytz.utc).replace(tzinfo=none) | string) }}
{% endmacro %}


{# A bare run may build every tenant: the folder below the layer says whose a model is. #}
{% macro tenant_of_path(path) %}
    {% set parts = path.split('/') %}
    {% set is_tenants = parts | length > 3 and parts[1] in ['staging', 'intermediate', 'analytics'] %}
    {{ return(parts[2] if is_tenants else env_var('MARTLET_TENANT', '') or none) }}
{% endmacro %}


{#
    Appends rows, one statement for all. A table that lost a column must not fail the run: it is
    warned of and left as it is.
#}
{% macro append_artifacts(table, rows, only_changed=false) %}
    {% set names = append_only_columns(table) | map(attribute='name') | list %}
    {# Not get_columns_in_relation: it begins a transaction, which nobody ends after a run. #}
    {% set stored = run_query("select * from " ~ artifact_relation(table) ~ " limit 0").column_names %}
    {% if names | reject('in', stored) | list %}
        {% do exceptions.warn("ops." ~ table ~ " lacks " ~ names | reject('in', stored) | join(', ') ~ ": this run is not recorded there") %}
    {% elif rows %}
        {% do run_query(insert_artifacts(table, names, rows, only_changed)) %}
    {% endif %}
{% endmacro %}


{% macro insert_artifacts(table, names, rows, only_changed) %}
    insert into {{ artifact_relation(table) }} ({{ names | join(', ') }})
    select incoming.*
    from (values
    {%- for row in rows %}
        (
        {%- for name in names -%}
            {{ 'null' if row.get(name) is none else sql_literal(row[name]) }}{{ ', ' if not loop.last }}
        {%- endfor -%}
        ){{ ',' if not loop.last }}
    {%- endfor %}
    ) as incoming ({{ names | join(', ') }})
    {%- if only_changed %}
    left join (
        select node_id, arg_max(definition_hash, captured_at) as definition_hash
        from {{ artifact_relation(table) }}
        group by node_id
    ) as known on known.node_id = incoming.node_id
    where known.definition_hash is distinct from incoming.definition_hash
    {%- endif %}
{% endmacro %}
