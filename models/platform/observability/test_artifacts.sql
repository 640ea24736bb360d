-- grain: one row per test and change of its definition
{{ config(materialized='append_only', schema='ops', columns_of='test_artifacts') }}
{{ append_only_model('test_artifacts') }}
