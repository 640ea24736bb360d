-- grain: one row per node: how it ran last
{{ config(materialized='view', schema='ops') }}
with
history as (
    select * from {{ ref('run_results') }}
),
newest as (
    select *
    from history
    qualify row_number() over (
        partition by node_id order by captured_at desc, invocation_id desc
    ) = 1
)
select * from newest
