{# The parts of the fact that hold a key of which the lookup now says something else. #}
{% macro insert_parts_of_lookup(input) %}
    insert into martlet_parts
    with
    now as (
        {{ looked_up(input) | indent(8) }}
    ),
    before as (
        select connection, key, stated
        from {{ kept_lookups() }}
        where source_platform = '{{ input.platform }}' and object = '{{ input.object }}'
    ),
    changed as (
        (from now except from before)
        union all
        (from before except from now)
    )
    select distinct f.source_platform, f.connection, {{ input.fact_part }}, true
    from {{ this }} as f
    semi join changed as c on c.connection = f.connection and c.key = f.{{ input.lookup.fact_key }}
    where f.source_platform = '{{ input.platform }}'
{% endmacro %}


{% macro looked_up(input) -%}
select connection, {{ input.lookup.key }} as key, {{ json_text_list(input.lookup.reads) }} as stated
from (
    {{ lookup_rows(input.platform, input.object, input.view) | indent(4) }}
) as l
{%- endmacro %}


{# What the lookups say now, for the next refresh to compare with. #}
{% macro keep_lookups(inputs, reason, news) %}
    {% set lookups = inputs | selectattr('lookup') | list %}
    {% if reason and lookups %}
        {% do run_query(
            "create or replace table " ~ kept_lookups()
            ~ " (source_platform varchar, object varchar, connection varchar, key varchar, stated varchar)"
        ) %}
    {% endif %}
    {% for input in lookups %}
        {% set is_new = news | selectattr('platform', 'equalto', input.platform) | selectattr('object', 'equalto', input.object) | list %}
        {% if reason or is_new %}
            {% do run_query(
                "delete from " ~ kept_lookups() ~ " where source_platform = '" ~ input.platform
                ~ "' and object = '" ~ input.object ~ "'"
            ) %}
            {% do run_query(
                "insert into " ~ kept_lookups() ~ " select '" ~ input.platform ~ "', '" ~ input.object
                ~ "', * from (" ~ looked_up(input) ~ ") as l"
            ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}
