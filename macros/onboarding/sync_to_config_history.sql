{# Post-hook: appends the configuration of this run's tenants where it is not the newest version. #}
{% macro sync_to_config_history() %}
    {% if execute %}
        {% for slug in tenants_of_this_run() %}
            {% set config = get_tenant_config(slug) %}
            {% do run_query(insert_config_version(this, slug, config)) %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{# The slugs whose generated sources are in the graph. #}
{% macro tenants_of_this_run() %}
    {% set slugs = [] %}
    {% for node in graph.sources.values() if node.meta.get('tenant') and node.meta.tenant not in slugs %}
        {% do slugs.append(node.meta.tenant) %}
    {% endfor %}
    {{ return(slugs) }}
{% endmacro %}


{% macro insert_config_version(history, slug, config) %}
    insert into {{ history }} ({{ tenant_config_history_columns() | map(attribute='name') | join(', ') }})
    select
        '{{ slug }}',
        coalesce(max(version_number), 0) + 1,
        '{{ config.digest }}',
        {{ sql_literal(tojson(config, sort_keys=true)) }},
        cast(current_timestamp at time zone 'UTC' as timestamp),
    from {{ history }}
    where tenant_slug = '{{ slug }}'
    having '{{ config.digest }}' is distinct from arg_max(config_digest, version_number)
{% endmacro %}
