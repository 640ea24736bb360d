-- grain: one row per landed table that may not be pushed as things stand
{{ config(materialized='view', schema='ops') }}
with
decisions as (
    select * from {{ ref('platform_ops__routing_decisions') }}
),
newest as (
    select *
    from decisions
    qualify row_number() over (
        partition by tenant_slug, landed_table, object order by decided_at desc
    ) = 1
)
select * from newest
where master_model is null
