{#
    A number by which the few versions of some keys are found in a long history: the day that the key
    fixes (see key_date; 16 bits, 0 where there is none), and below it the first 40 bits of the key.
    Masters keep it beside the key, so that a search skips all rows of other days, and compares numbers
    in the rest. Two keys may share one: whoever finds a version by it compares the key as well.
#}
{% macro key_prefix(tenant_skey, key_day) -%}
    {{ return(adapter.dispatch('key_prefix', 'martlet')(tenant_skey, key_day)) }}
{%- endmacro %}

{% macro default__key_prefix(tenant_skey, key_day) -%}
    {{ key_day }} * 1099511627776 + cast('0x' || left({{ tenant_skey }}, 10) as bigint)
{%- endmacro %}


{# The day of a prefix, for another key of the same day. #}
{% macro day_of_prefix(key_prefix) -%}
    {{ return(adapter.dispatch('day_of_prefix', 'martlet')(key_prefix)) }}
{%- endmacro %}

{% macro default__day_of_prefix(key_prefix) -%}
    ({{ key_prefix }} // 1099511627776)
{%- endmacro %}


{#
    The contract's column whose day a record's key fixes: one that is in the key, or, where the whole
    record is the key, that of its scope. None where records of one key may have different days.
#}
{% macro key_date(contract) %}
    {% set in_key = contract.columns
        | selectattr('name', 'in', contract.key)
        | rejectattr('type', 'in', ['varchar', 'bigint', 'decimal', 'double', 'boolean', 'json'])
        | list %}
    {% if in_key %}
        {{ return(in_key[0]) }}
    {% elif not contract.key and contract.scope %}
        {{ return((contract.columns | selectattr('name', 'equalto', contract.scope.date) | list)[0]) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}


{# The number of the day of a date or moment; 0 for what is no day between 1970 and 2149. #}
{% macro key_day(moment) -%}
    {{ return(adapter.dispatch('key_day', 'martlet')(moment)) }}
{%- endmacro %}

{% macro default__key_day(moment) -%}
    {%- set day = 'cast(' ~ moment ~ ' as date)' -%}
    case when {{ day }} between date '1970-01-01' and date '2149-06-05' then {{ day }} - date '1970-01-01' else 0 end
{%- endmacro %}


{# The day that is fixed by the keys of landed rows, by the columns that they have. #}
{% macro landed_key_day(contract, shape) %}
    {% set date = key_date(contract) %}
    {% set text = landed_expression(contract, date.name, shape) if date %}
    {{ return(key_day(cast_landed(text, date.type)) if text else '0') }}
{% endmacro %}


{# The prefix of a record that is stored without one, in a master of that contract. #}
{% macro stored_key_prefix(contract) %}
    {% set date = key_date(contract) %}
    {{ return(key_prefix(
        'tenant_skey', key_day(unpacked_column(contract, date.name, 'raw_data_payload')) if date else '0'
    )) }}
{% endmacro %}


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
