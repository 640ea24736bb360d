-- grain: one row per decision of an operator on a quarantined row
{{ config(materialized='append_only', schema='ops', columns_of='quarantine_decisions') }}
{{ append_only_model('quarantine_decisions') }}
