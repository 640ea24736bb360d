{#
    A landed shape with what an operator has approved to stand for published columns: `readable` has
    those twice, under the landed and the published name, so that the payload keeps what came and the
    unpack finds what it looks for; `hashed` has them under the published name only, so that a record
    that only got a new spelling is no new version. `landed` names the physical column of an alias.
#}
{% macro aliased_shape(push, landing, shape) %}
    {% set aliases = landed_aliases(push, landing, shape) %}
    {% set readable = [] %}
    {% set hashed = [] %}
    {% for column in shape.columns %}
        {% do readable.append(column) %}
        {% if column.name in aliases %}
            {% set alias = dict(column, name=aliases[column.name], landed=column.name) %}
            {% do readable.append(alias) %}
            {% do hashed.append(alias) %}
        {% else %}
            {% do hashed.append(column) %}
        {% endif %}
    {% endfor %}
    {{ return(dict(shape, readable=readable, hashed=hashed)) }}
{% endmacro %}


{# {landed name: published name} of an approved shape; the published shape itself has none. #}
{% macro landed_aliases(push, landing, shape) %}
    {% if shape.source_schema_hash == landing.source_schema_hash %}
        {{ return({}) }}
    {% endif %}
    {% set rows = run_query(
        "select aliases from " ~ source('platform', 'connector_blueprints')
        ~ " where source_platform = '" ~ push.platform ~ "' and object = '" ~ push.object
        ~ "' and source_schema_hash = '" ~ shape.source_schema_hash ~ "' and aliases is not null"
    ).rows %}
    {{ return(fromjson(rows[0][0]) if rows else {}) }}
{% endmacro %}


{# The physical column, quoted. #}
{% macro landed_name(column) -%}
    {{ return(adapter.quote(column.landed or column.name)) }}
{%- endmacro %}
