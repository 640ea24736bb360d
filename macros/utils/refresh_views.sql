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


{#
    Memory is the engine's for as long as its connection is open: what served a fact, and the pushes
    before it, is dropped. By name: to list what there is costs as much as all tenants have tables.
#}
{% macro drop_refresh_tables(inputs) %}
    {{ return(adapter.dispatch('drop_refresh_tables', 'martlet')(inputs)) }}
{% endmacro %}

{% macro default__drop_refresh_tables(inputs) %}
    {% for input in inputs %}
        {% do run_query("drop view if exists martlet_view_" ~ loop.index) %}
        {% do run_query("drop table if exists martlet_versions_" ~ loop.index) %}
    {% endfor %}
    {% for name in [
        'touched', 'parts', 'needed', 'places',
        'incoming', 'history', 'fresh', 'overtaking', 'confirmed', 'missing',
    ] %}
        {% do run_query("drop table if exists martlet_" ~ name) %}
    {% endfor %}
{% endmacro %}
