{# The record index from nothing: every version of every record that the fact is made of. #}
{% macro replace_index(inputs) %}
    {% set index = record_index() %}
    {% do run_query("create schema if not exists " ~ index.include(identifier=false)) %}
    {% do run_query(
        "create or replace table " ~ index
        ~ " (source_platform varchar, object varchar, connection varchar, tenant_skey uuid, key_prefix bigint, part varchar, link varchar)"
    ) %}
    {% for input in inputs if input.records %}
        {% do run_query(insert_indexed(input, input_rows(input))) %}
    {% endfor %}
{% endmacro %}


{# The record index with the versions that new loads brought. #}
{% macro index_records(inputs, news) %}
    {% for input in inputs if input.records %}
        {% for load in news if load.platform == input.platform and load.object == input.object %}
            {% do run_query(insert_indexed(input, rows_of_loads(input, load))) %}
        {% endfor %}
    {% endfor %}
{% endmacro %}


{% macro rows_of_loads(input, load) -%}
    {{ input_rows(input) }} and load_id in ({{ sql_literals(load.load_ids) }})
{%- endmacro %}


{#
    Every version is indexed, not the newest alone, and none ever leaves: a record that moves from
    one part to another touches both. Only the columns that decide are unpacked.
#}
{% macro insert_indexed(input, rows) %}
    {% set columns = [] %}
    {% for column in input.contract.columns if column.name in input.records.columns %}
        {% do columns.append(column) %}
    {% endfor %}
    insert into {{ record_index() }} (source_platform, object, connection, tenant_skey, key_prefix, part, link)
    with
    pushed as (
        select *
        from {{ input.master }}
        where {{ rows }}
    ),
    {{ typed_rows('pushed', dict(input.contract, columns=columns), ['key_prefix']) }},
    placed as (
        select
            connection,
            cast(tenant_skey as uuid) as tenant_skey,
            key_prefix,
            {{ input.records.part }} as part,
            {{ input.records.link }} as link,
        from typed
    )
    select '{{ input.platform }}', '{{ input.object }}', connection, tenant_skey, key_prefix, part, cast(link as varchar)
    from placed
    where part is not null
{% endmacro %}


{#
    What the new loads touch: martlet_parts (those to be rebuilt, and with is_rebuilt = false those
    whose records are needed beside them), and martlet_needed, the keys of all their records. Returns
    why a full rebuild is cheaper; none where it is not.
#}
{% macro find_touched(inputs, news) %}
    {% do run_query(touched_keys(inputs, news)) %}
    {% if is_most_of_index('martlet_touched') %}
        {{ return('most of it changed') }}
    {% endif %}
    {% do run_query(touched_parts()) %}
    {% for input in inputs if input.lookup %}
        {% for load in news if load.platform == input.platform and load.object == input.object %}
            {% do run_query(insert_parts_of_lookup(input)) %}
        {% endfor %}
    {% endfor %}
    {# What shares a purchase with a touched part may win or lose it; and to decide that, whatever
       shares one with such a part is read beside it. #}
    {% do run_query(insert_linked_parts(true)) %}
    {% do run_query(insert_linked_parts(false)) %}
    {% do run_query(needed_keys()) %}
    {{ return('most of it changed' if is_most_of_index('martlet_needed') else none) }}
{% endmacro %}


{% macro is_most_of_index(keys) %}
    {{ return(run_query("select (select count(*) from " ~ keys ~ ") > 0.5 * (select count(*) from " ~ record_index() ~ ")").rows[0][0]) }}
{% endmacro %}


{% macro touched_keys(inputs, news) %}
    create or replace temp table martlet_touched as
    select
        cast(null as varchar) as source_platform,
        cast(null as varchar) as object,
        cast(null as uuid) as tenant_skey,
    where false
    {%- for input in inputs if input.records %}
        {%- for load in news if load.platform == input.platform and load.object == input.object %}
    union all
    select distinct '{{ input.platform }}', '{{ input.object }}', cast(tenant_skey as uuid)
    from {{ input.master }}
    where {{ rows_of_loads(input, load) }}
        {%- endfor %}
    {%- endfor %}
{% endmacro %}


{% macro touched_parts() %}
    create or replace temp table martlet_parts as
    select distinct i.source_platform, i.connection, i.part, true as is_rebuilt
    from {{ record_index() }} as i
    semi join martlet_touched as t
        on t.tenant_skey = i.tenant_skey and t.source_platform = i.source_platform and t.object = i.object
{% endmacro %}


{% macro insert_linked_parts(is_rebuilt) %}
    insert into martlet_parts
    with
    links as (
        select distinct i.source_platform, i.connection, i.link
        from {{ record_index() }} as i
        semi join martlet_parts as p
            on p.part = i.part and p.connection = i.connection and p.source_platform = i.source_platform
        where i.link is not null
    )
    select distinct i.source_platform, i.connection, i.part, {{ is_rebuilt }}
    from {{ record_index() }} as i
    semi join links as l
        on l.link = i.link and l.connection = i.connection and l.source_platform = i.source_platform
    anti join martlet_parts as p
        on p.part = i.part and p.connection = i.connection and p.source_platform = i.source_platform
    where i.link is not null
{% endmacro %}


{% macro needed_keys() %}
    create or replace temp table martlet_needed as
    select distinct i.source_platform, i.object, replace(cast(i.tenant_skey as varchar), '-', '') as tenant_skey, i.key_prefix
    from {{ record_index() }} as i
    semi join martlet_parts as p
        on p.part = i.part and p.connection = i.connection and p.source_platform = i.source_platform
{% endmacro %}
