-- grain: one row per invocation, platform, object and connection of its tenant
{{ config(materialized='append_only', schema='ops', columns_of='source_freshness') }}
{{ append_only_model('source_freshness') }}
