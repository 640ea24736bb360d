-- grain: one row per tenant and version of its semantic definitions
{{ config(materialized='append_only', schema='ops', columns_of='boring_semantic_layer') }}
{{ append_only_model('boring_semantic_layer') }}
