-- grain: one row per invocation and node that it ran
{{ config(materialized='append_only', schema='ops', columns_of='run_results') }}
{{ append_only_model('run_results') }}
