{# The definitions of views, as one text that differs whenever one of them reads anything else. #}
{% macro view_texts(relations) %}
    {{ return(adapter.dispatch('view_texts', 'martlet')(relations)) }}
{% endmacro %}

{% macro default__view_texts(relations) %}
    {% if not relations %}
        {{ return('') }}
    {% endif %}
    {% set query %}
        select string_agg(md5(sql), ' ' order by view_name)
        from duckdb_views()
        where database_name = '{{ relations[0].database }}'
            and schema_name = '{{ relations[0].schema }}'
            and view_name in ({{ sql_literals(relations | map(attribute='identifier')) }})
    {% endset %}
    {{ return(run_query(query).rows[0][0] or '') }}
{% endmacro %}


{#
    A temporary table of those rows of a master, as `m`, whose key is one of `keys`, a query. The wide
    rows are fetched by their place, found over prefixes of keys: a join that carries the payload would
    decompress all of them.
#}
{% macro keep_versions(table, master, rows, keys) %}
    {{ return(adapter.dispatch('keep_versions', 'martlet')(table, master, rows, keys)) }}
{% endmacro %}

{% macro default__keep_versions(table, master, rows, keys) %}
    {% do run_query(key_places('martlet_places', master, rows, '(' ~ keys ~ ')')) %}
    {% do run_query(
        "create or replace temp table " ~ table ~ " as "
        ~ rows_at_places('martlet_places', master, rows ~ " and m.tenant_skey in (select tenant_skey from (" ~ keys ~ ") as n)", ['m.*'])
    ) %}
{% endmacro %}


{# Memory is the engine's for as long as its connection is open: what served is dropped. #}
{% macro drop_refresh_tables() %}
    {{ return(adapter.dispatch('drop_refresh_tables', 'martlet')()) }}
{% endmacro %}

{% macro default__drop_refresh_tables() %}
    {% set query %}
        select kind, name
        from (
            select 'view' as kind, view_name as name from duckdb_views() where temporary
            union all
            select 'table', table_name from duckdb_tables() where temporary
        ) as t
        where name like 'martlet\_%' escape '\'
    {% endset %}
    {% for row in run_query(query).rows %}
        {% do run_query("drop " ~ row[0] ~ " if exists " ~ row[1]) %}
    {% endfor %}
{% endmacro %}
