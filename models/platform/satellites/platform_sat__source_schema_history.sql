-- grain: one row per landed table and version of its physical shape
{{ config(materialized='append_only', schema='platform', columns_of='schema_history') }}
{{ append_only_model('schema_history') }}
