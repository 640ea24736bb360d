{#
    The tenant's validated configuration from tenants.yaml, every default filled in (connections
    with their effective time zone and currency). Empty while dbt only parses.
#}
{% macro get_tenant_config(slug) %}
    {% if not execute %}
        {{ return({}) }}
    {% endif %}
    {% set document = run_query("select martlet_tenant_config('" ~ slug ~ "')").rows[0][0] %}
    {% if not document %}
        {{ exceptions.raise_compiler_error(
            "tenants.yaml has no valid tenant '" ~ slug ~ "', but models of it are built. "
            ~ "Remedy: `martlet check`, then `python scripts/onboard_tenant.py " ~ slug ~ "`."
        ) }}
    {% endif %}
    {{ return(fromjson(document)) }}
{% endmacro %}


{# The tenant's connections of a platform: {slug: {timezone, currency, conversion_actions, ...}}. #}
{% macro get_connections(slug, platform) %}
    {{ return(get_tenant_config(slug).get('sources', {}).get(platform, {}).get('connections', {})) }}
{% endmacro %}
