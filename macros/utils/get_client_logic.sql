{# The tenant's logic for one table of a platform: conversion_events, funnel_steps, target_cpa, filters. #}
{% macro get_client_logic(slug, platform, table) %}
    {{ return(get_tenant_config(slug).get('sources', {}).get(platform, {}).get('tables', {}).get(table, {})) }}
{% endmacro %}
