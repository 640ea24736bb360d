{#
    What dbt knows to exist in a schema. For a run of one tenant, the names that it may ask for are
    looked up: a listing of tables costs as much as all tenants have, in every attached file. A lake
    is asked for its tables in one query (martlet.engines.listing): its own listing asks for each.
#}
{% macro duckdb__list_relations_without_caching(schema_relation) %}
    {% set names = names_of_run(schema_relation) %}
    {% call statement('list_relations_without_caching', fetch_result=True) %}
        {{ found_relations(schema_relation, names) if names else listed_relations(schema_relation) }}
    {% endcall %}
    {{ return(load_result('list_relations_without_caching').table) }}
{% endmacro %}


{# Every relation of a schema; of a layer, in a run of one tenant, that tenant's alone. #}
{% macro listed_relations(schema_relation) %}
    {% set slug = env_var('MARTLET_TENANT', '') %}
    {% set is_layer = schema_relation.schema in ['staging', 'intermediate', 'analytics', 'refresh'] %}
    {% set owned = "contains(name, '_" ~ slug ~ "__')" if slug and is_layer else 'true' %}
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
{% endmacro %}


{#
    Those of some names that there are. The plan of a table's sample, which nobody carries out, tells
    a table from a view and from nothing. What an ended run left in a layer of views is listed: to
    miss a name costs as much there, because the engine looks for a similar one.
#}
{% macro found_relations(schema_relation, names) %}
    {% set place = schema_relation.database ~ '.' ~ schema_relation.schema %}
    select
        '{{ schema_relation.database }}' as database,
        name,
        '{{ schema_relation.schema }}' as schema,
        case when told ->> 'error' = 'false' then 'table' else 'view' end as type
    from (
        select
            name,
            json_serialize_plan(
                'from duckdb_table_sample(''{{ place }}."' || name || '"'')', skip_null := true, skip_empty := true
            ) as told
        from (values {% for name in names %}({{ sql_literal(name) }}){{ ', ' if not loop.last }}{% endfor %}) as n (name)
    ) as t
    where told ->> 'error' = 'false' or ends_with(told ->> 'error_message', ' is not an table')
    {%- if schema_relation.schema in view_layers() %}
    union all
    select database_name, view_name, schema_name, 'view'
    from duckdb_views()
    where
        database_name = '{{ schema_relation.database }}'
        and schema_name = '{{ schema_relation.schema }}'
        and (ends_with(view_name, '__dbt_tmp') or ends_with(view_name, '__dbt_backup'))
    {%- endif %}
{% endmacro %}


{% macro view_layers() %}
    {{ return(['staging', 'intermediate']) }}
{% endmacro %}


{#
    The names that a run of one tenant may ask for in a schema, with those that dbt gives for a while;
    empty where it may ask for any: without a tenant, and outside of a file.
#}
{% macro names_of_run(schema_relation) %}
    {% if not env_var('MARTLET_TENANT', '') or target.name != 'duckdb' %}
        {{ return([]) }}
    {% endif %}
    {% set names = [] %}
    {% for node in (graph.nodes.values() | list) + (graph.sources.values() | list)
        if node.schema == schema_relation.schema and node.database == schema_relation.database %}
        {% do names.append(node.identifier or node.alias) %}
    {% endfor %}
    {% if schema_relation.database == 'landing' %}
        {% do names.append('_martlet_loads') %}
    {% elif schema_relation.schema not in view_layers() %}
        {% for name in names | list %}
            {% do names.extend([name ~ '__dbt_tmp', name ~ '__dbt_backup']) %}
        {% endfor %}
    {% endif %}
    {% if schema_relation.schema == 'refresh' %}
        {% for node in graph.nodes.values() if node.config.materialized == 'refreshed' %}
            {% do names.extend([node.alias ~ '__records', node.alias ~ '__lookups']) %}
        {% endfor %}
    {% endif %}
    {{ return(names) }}
{% endmacro %}
