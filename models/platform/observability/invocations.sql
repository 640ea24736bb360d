-- grain: one row per invocation of dbt
{{ config(materialized='append_only', schema='ops', columns_of='invocations') }}
{{ append_only_model('invocations') }}
