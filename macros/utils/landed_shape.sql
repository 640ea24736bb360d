{#
    The physical shape of a landed table, from the catalogue: {source_schema_hash,
    schema_family_hash, columns: [{name, type, family}], bookkeeping: [name]}; none when the table
    does not exist.
#}
{% macro landed_shape(relation) %}
    {% if not is_landed(relation) %}
        {{ return(none) }}
    {% endif %}
    {% set document = run_query(
        "select martlet_landed_shape(to_json(list({'name': column_name, 'type': column_type}))) "
        ~ "from (describe " ~ relation ~ ")"
    ).rows[0][0] %}
    {{ return(fromjson(document)) }}
{% endmacro %}


{# Whether the catalogue has the table. #}
{% macro is_landed(relation) %}
    {{ return(run_query(
        "select count(*) from duckdb_tables() where database_name = '" ~ relation.database
        ~ "' and schema_name = '" ~ relation.schema ~ "' and table_name = '" ~ relation.identifier ~ "'"
    ).rows[0][0] > 0) }}
{% endmacro %}
