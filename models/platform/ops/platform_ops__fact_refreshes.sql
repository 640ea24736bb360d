-- grain: one row per refresh of a fact that had news
{{ config(materialized='append_only', schema='ops', columns_of='fact_refreshes') }}
{{ append_only_model('fact_refreshes') }}
