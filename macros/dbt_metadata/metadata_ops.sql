{#
    Run metadata, captured by on-run-end hooks: what every model is, how each ran, what is tested.
    Each table holds the current state, replaced node by node: a run of one tenant leaves the rows
    of the others.
#}
{% macro init_artifact_tables() %}
    {% if execute %}
        {% do run_query("create schema if not exists ops") %}
        {% for name, columns in artifact_tables().items() %}
            {% do run_query("create table if not exists ops." ~ name ~ " (" ~ columns ~ ")") %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{% macro artifact_tables() %}
    {{ return({
        'model_artifacts__current': 'node_id varchar, name varchar, materialization varchar, schema_name varchar, path varchar, depends_on json, tags json, config json, captured_at timestamp',
        'run_results__current': 'node_id varchar, name varchar, status varchar, message varchar, execution_seconds double, rows_affected bigint, invocation_id varchar, captured_at timestamp',
        'test_artifacts__current': 'node_id varchar, name varchar, target_models json, severity varchar, captured_at timestamp',
    }) }}
{% endmacro %}


{% macro upload_model_definitions() %}
    {% set rows = [] %}
    {% for node in graph.get('nodes', {}).values() if node.resource_type == 'model' %}
        {% do rows.append([
            node.unique_id, node.name, node.config.materialized, node.schema, node.original_file_path,
            tojson(node.depends_on.nodes), tojson(node.tags),
            tojson({'enabled': node.config.enabled, 'contract': node.config.contract.enforced}),
        ]) %}
    {% endfor %}
    {% do replace_artifacts('model_artifacts__current', rows) %}
{% endmacro %}


{% macro upload_run_results(results) %}
    {% set rows = [] %}
    {% for result in results %}
        {% do rows.append([
            result.node.unique_id, result.node.name, result.status | string, result.message,
            result.execution_time, result.adapter_response.get('rows_affected'), invocation_id,
        ]) %}
    {% endfor %}
    {% do replace_artifacts('run_results__current', rows) %}
{% endmacro %}


{% macro upload_test_definitions() %}
    {% set rows = [] %}
    {% for node in graph.get('nodes', {}).values() if node.resource_type == 'test' %}
        {% do rows.append([node.unique_id, node.name, tojson(node.depends_on.nodes), node.config.severity]) %}
    {% endfor %}
    {% do replace_artifacts('test_artifacts__current', rows) %}
{% endmacro %}


{# Replaces the rows of these nodes (their id is the first value), one statement for all. #}
{% macro replace_artifacts(table, rows) %}
    {% if execute and rows %}
        {% do run_query("delete from ops." ~ table ~ " where node_id in (" ~ sql_literals(rows | map('first') | list) ~ ")") %}
        {% set tuples = [] %}
        {% for row in rows %}
            {% set values = [] %}
            {% for value in row %}
                {% do values.append('null' if value is none else sql_literal(value)) %}
            {% endfor %}
            {% do tuples.append('(' ~ values | join(', ') ~ ", current_timestamp at time zone 'UTC')") %}
        {% endfor %}
        {% do run_query("insert into ops." ~ table ~ " values " ~ tuples | join(', ')) %}
    {% endif %}
{% endmacro %}
