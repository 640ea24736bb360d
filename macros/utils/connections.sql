{#
    The tenant's connections of a platform as rows, to join on: connection, timezone, currency,
    attribution_window.
#}
{% macro connection_rows(tenant, platform) -%}
select *
from (
    values
    {%- for slug, connection in get_connections(tenant, platform).items() %}
        ('{{ slug }}', {{ sql_literal(connection.timezone) }}, {{ sql_literal(connection.currency) }}, {{ sql_literal(connection.attribution_window) if connection.attribution_window else 'cast(null as varchar)' }}){{ ',' if not loop.last }}
    {%- else %}
        ('main', cast(null as varchar), cast(null as varchar), cast(null as varchar))
    {%- endfor %}
) as c (connection, timezone, currency, attribution_window)
{%- endmacro %}


{#
    The decimal sum of a list of action objects over the action types that count as conversions in
    the row's connection: those of tenants.yaml, else `defaults`.
#}
{% macro connection_actions_sum(tenant, platform, expression, defaults, key_field='action_type', value_field='value') -%}
case
{%- for slug, connection in get_connections(tenant, platform).items() %}
            when connection = '{{ slug }}'
                then {{ json_list_sum(expression, key_field, connection.conversion_actions or defaults, value_field) }}
{%- else %}
            when true then {{ json_list_sum(expression, key_field, defaults, value_field) }}
{%- endfor %}
        end
{%- endmacro %}


{# A UTC moment's day in the tenant's reporting time zone. #}
{% macro business_date(moment, tenant) -%}
    cast(({{ moment }} at time zone 'UTC') at time zone '{{ get_tenant_config(tenant).get('reporting_timezone', 'UTC') }}' as date)
{%- endmacro %}
