-- grain: one row per model and change of its definition
{{ config(materialized='append_only', schema='ops', columns_of='model_artifacts') }}
{{ append_only_model('model_artifacts') }}
