{#
    The text of a JSON value as a typed column, null where it cannot be cast. `type` is one of the
    column types of the contracts: what the source's spelling of a value is.
#}
{% macro cast_landed(text, type) -%}
    {{ return(adapter.dispatch('cast_landed', 'martlet')(text, type)) }}
{%- endmacro %}

{% macro default__cast_landed(text, type) -%}
    {%- if type == 'varchar' -%}
        {{ text }}
    {%- elif type == 'bigint' -%}
        try_cast({{ text }} as bigint)
    {%- elif type == 'decimal' -%}
        try_cast({{ text }} as decimal(18, 6))
    {%- elif type in ('double', 'boolean') -%}
        try_cast({{ text }} as {{ type }})
    {%- elif type == 'json' -%}
        cast({{ text }} as json)
    {%- elif type == 'date' -%}
        {# YYYYMMDD has eight characters; trying it as ISO first fails on every row of GA4. #}
        case
            when length({{ text }}) = 8 then cast(try_strptime({{ text }}, '%Y%m%d') as date)
            else try_cast(left({{ text }}, 10) as date)
        end
    {%- elif type == 'timestamp' -%}
        cast(try_cast({{ text }} as timestamptz) at time zone 'UTC' as timestamp)
    {%- elif type == 'local_timestamp' -%}
        try_cast({{ text }} as timestamp)
    {%- elif type in ('epoch_s', 'epoch_ms', 'epoch_us') -%}
        {%- set microseconds = {'epoch_s': 1000000, 'epoch_ms': 1000, 'epoch_us': 1}[type] -%}
        {# Fractions of a unit, and the ISO text that some loaders make of the number, are the exception;
           `try` because a number may be no moment at all. #}
        coalesce(
            try(make_timestamp(try_cast(case when not contains({{ text }}, '.') then {{ text }} end as bigint) * {{ microseconds }})),
            try(make_timestamp(cast(round(try_cast({{ text }} as double) * {{ microseconds }}) as bigint))),
            cast(try_cast({{ text }} as timestamptz) at time zone 'UTC' as timestamp)
        )
    {%- elif type == 'rfc2822' -%}
        coalesce(
            cast(try_strptime({{ text }}, '%a, %d %b %Y %H:%M:%S %z') at time zone 'UTC' as timestamp),
            cast(try_cast({{ text }} as timestamptz) at time zone 'UTC' as timestamp)
        )
    {%- elif type == 'year_month_day' -%}
        case
            when {{ text }} like '{' || '%'
                then try_cast(concat_ws('-', {{ text }} ->> '$.year', {{ text }} ->> '$.month', {{ text }} ->> '$.day') as date)
            else try_cast(left({{ text }}, 10) as date)
        end
    {%- else -%}
        {{ exceptions.raise_compiler_error("cast_landed: unknown column type '" ~ type ~ "'") }}
    {%- endif -%}
{%- endmacro %}


{# The type of the column that cast_landed makes. #}
{% macro landed_data_type(type) %}
    {{ return({
        'decimal': 'decimal(18, 6)', 'local_timestamp': 'timestamp', 'epoch_s': 'timestamp', 'epoch_ms': 'timestamp',
        'epoch_us': 'timestamp', 'rfc2822': 'timestamp', 'year_month_day': 'date',
    }.get(type, type)) }}
{% endmacro %}
