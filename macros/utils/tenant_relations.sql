{#
    What dbt knows to exist in a schema. Of the layers that hold every tenant's relations, a run of
    one tenant is told of that tenant's alone: thousands of others would only be carried along. A lake is
    asked for its tables in one query (martlet.engines.listing): its own listing asks for each of them.
#}
{% macro duckdb__list_relations_without_caching(schema_relation) %}
    {% set slug = env_var('MARTLET_TENANT', '') %}
    {% set is_layer = schema_relation.schema in ['staging', 'intermediate', 'analytics', 'refresh'] %}
    {% set owned = "contains(name, '_" ~ slug ~ "__')" if slug and is_layer else 'true' %}
    {% call statement('list_relations_without_caching', fetch_result=True) %}
        select database_name as database, name, schema_name as schema, type
        from (
        {%- if adapter.is_ducklake(schema_relation) %}
            select '{{ schema_relation.database }}' as database_name, table_name as name, schema_name, 'table' as type
            from memory.main.martlet_tables()
        {%- else %}
            select database_name, table_name as name, schema_name, 'table' as type from duckdb_tables()
        {%- endif %}
            union all
            select database_name, view_name, schema_name, 'view' from duckdb_views()
        ) as t
        where
            lower(schema_name) = '{{ schema_relation.schema | lower }}'
            and lower(database_name) = '{{ schema_relation.database | lower }}'
            and {{ owned }}
    {% endcall %}
    {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}
