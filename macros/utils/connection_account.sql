{#
    The account of a row whose record does not name it: that of the row's connection, where the
    connection has exactly one; else null, for a guess would put money on a stranger's account.
#}
{% macro connection_account(tenant, platform, connection='connection') -%}
case {{ connection }}
{%- for slug, settings in get_connections(tenant, platform).items() if settings.accounts | length == 1 %}
            when '{{ slug }}' then {{ sql_literal(settings.accounts[0]) }}
{%- else %}
            when null then cast(null as varchar)
{%- endfor %}
        end
{%- endmacro %}
