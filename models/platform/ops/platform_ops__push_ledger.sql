-- grain: one row per tenant, platform, connection, object and load that was pushed
{{ config(materialized='append_only', schema='ops', columns_of='push_ledger') }}
{{ append_only_model('push_ledger') }}
