-- grain: one row per landed record that its contract refused
{{ config(materialized='append_only', schema='ops', columns_of='quarantine_rows') }}
{{ append_only_model('quarantine_rows') }}
