-- grain: one row per tenant and version of its validated configuration
{{ config(
    materialized='append_only',
    schema='platform',
    columns_of='tenant_config_history',
    post_hook="{{ sync_to_config_history() }}",
) }}
{{ append_only_model('tenant_config_history') }}
