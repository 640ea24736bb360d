-- grain: one row per tenant_skey of the platform, written when the key is first pushed
{{ config(materialized='append_only', schema='platform', columns_of='hub_key_registry') }}
{{ append_only_model('hub_key_registry') }}
