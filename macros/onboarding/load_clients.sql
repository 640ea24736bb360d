{#
    On-run-start: reads the tenants of this run from tenants.yaml and stops a run whose generated
    files were made from another configuration.
#}
{% macro load_clients() %}
    {% if execute %}
        {% for node in graph.sources.values() if node.meta.get('config_digest') %}
            {% if get_tenant_config(node.meta.tenant).digest != node.meta.config_digest %}
                {{ exceptions.raise_compiler_error(
                    "the generated files of " ~ node.meta.tenant ~ " were made from another "
                    ~ "configuration than tenants.yaml holds now. Remedy: "
                    ~ "`python scripts/onboard_tenant.py " ~ node.meta.tenant ~ "`, or `martlet run`."
                ) }}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
