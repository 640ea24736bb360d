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


{#
    Whether the table has landed, by what dbt listed once: the landing does not change while dbt has it
    open, and each look into the catalogue goes through all tenants.
#}
{% macro is_landed(relation) %}
    {{ return(adapter.get_relation(relation.database, relation.schema, relation.identifier) is not none) }}
{% endmacro %}
