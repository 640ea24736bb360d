{#
    The first 40 bits of a record's key as a number. Masters keep it beside the key: finding the few
    versions of some keys in a long history costs a third of what it costs over the keys themselves.
    Two keys may share a prefix, so whoever finds a version by it compares the key as well.
#}
{% macro key_prefix(tenant_skey) -%}
    {{ return(adapter.dispatch('key_prefix', 'martlet')(tenant_skey)) }}
{%- endmacro %}

{% macro default__key_prefix(tenant_skey) -%}
    cast('0x' || left({{ tenant_skey }}, 10) as bigint)
{%- endmacro %}


{#
    A temporary table of the places in the master at which the versions of some keys are. `keys`, a
    relation or a query in brackets, has their key_prefix; `rows` is a condition on the master, as `m`.
#}
{% macro key_places(table, master, rows, keys) %}
    {{ return(adapter.dispatch('key_places', 'martlet')(table, master, rows, keys)) }}
{% endmacro %}

{% macro default__key_places(table, master, rows, keys) %}
    create or replace temp table {{ table }} as
    select m.rowid as place
    from {{ master }} as m
    semi join {{ keys }} as k on k.key_prefix = m.key_prefix
    where {{ rows }}
{% endmacro %}


{# The columns of `columns`, and the place, of what key_places found: those rows alone are read. #}
{% macro rows_at_places(places, master, rows, columns) %}
    {{ return(adapter.dispatch('rows_at_places', 'martlet')(places, master, rows, columns)) }}
{% endmacro %}

{% macro default__rows_at_places(places, master, rows, columns) %}
    select m.rowid as place, {{ columns | join(', ') }}
    from {{ master }} as m
    semi join {{ places }} as p on p.place = m.rowid
    where {{ rows }}
{% endmacro %}
