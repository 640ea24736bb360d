-- grain: one row per model: its newest recorded definition
{{ config(materialized='view', schema='ops') }}
with
history as (
    select * from {{ ref('model_artifacts') }}
),
newest as (
    select *
    from history
    qualify row_number() over (
        partition by node_id order by captured_at desc, invocation_id desc
    ) = 1
)
select * from newest
