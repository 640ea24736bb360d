{#
    An engine reads the text of every view when it opens its file. Views of many tenants that differ
    in names only share one body, whose parameters are these names: a thousand tenants then weigh
    little more than one. The body is named by its text, so a view never changes with another one.
    On a lake, views are rows of the catalogue, and what tenants share is what their machines meet at: those
    are made whole, by kept_views.
#}
{% macro duckdb__create_view_as(relation, sql) -%}
    {%- set parameters = view_parameters(sql) -%}
    {%- if parameters %}
        {{ create_short_view(relation, without_header(sql), parameters) }}
    {%- else %}
        create view {{ relation }} as (
            {{ sql }}
        );
    {%- endif %}
{%- endmacro %}


{% macro create_short_view(relation, body, parameters) -%}
    {%- set shared = namespace(body=body) -%}
    {%- for parameter in parameters -%}
        {%- set shared.body = shared.body | replace(parameter.text, parameter.instead) -%}
    {%- endfor -%}
    {%- set name = 'platform.view_' ~ local_md5(shared.body) -%}
    create macro if not exists {{ name }}({{ parameters | map(attribute='name') | join(', ') }}) as table
        {{ shared.body }}
    ;
    create view {{ relation }} as
    select * from {{ name }}({{ parameters | map(attribute='value') | join(', ') }});
{%- endmacro %}


{#
    What of a view's text is its tenant's alone, each with the parameter that stands for it; empty
    where the text cannot be shared: rows of listed accounts or without a number of their own, a past moment,
    a name inside a text.
#}
{% macro view_parameters(sql) %}
    {% set meta = model.config.meta %}
    {% set landings = meta.get('push', {}).get('landings', []) %}
    {% set owner = meta.get('push') or meta.get('unpack') %}
    {% if not owner or var('as_of', none) or landings | selectattr('accounts', 'defined') | list %}
        {{ return([]) }}
    {% endif %}
    {# A table that is named by an argument has no rowid. #}
    {% if 'rowid as load_row' in sql %}
        {{ return([]) }}
    {% endif %}
    {% set slug = sql_literal(owner.tenant) %}
    {% if "'" ~ slug in sql or slug ~ "'" in sql %}
        {{ return([]) }}
    {% endif %}
    {% set parameters = [{'name': 'martlet_tenant', 'text': slug, 'instead': 'martlet_tenant', 'value': slug}] %}
    {% for landing in landings %}
        {% set relation = source(landing.source, landing.table) | string %}
        {% set name = 'martlet_table_' ~ loop.index %}
        {% do parameters.append({
            'name': name, 'text': relation, 'instead': 'query_table(' ~ name ~ ')', 'value': sql_literal(relation),
        }) %}
    {% endfor %}
    {{ return(parameters) }}
{% endmacro %}


{# A query without the comments above it, which name the tenant. #}
{% macro without_header(sql) %}
    {% set lines = sql.split('\n') %}
    {% set kept = namespace(first=none) %}
    {% for line in lines if kept.first is none and line.strip() and not line.strip().startswith('--') %}
        {% set kept.first = lines.index(line) %}
    {% endfor %}
    {{ return(lines[kept.first:] | join('\n')) }}
{% endmacro %}
