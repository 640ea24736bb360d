-- grain: one row per landed table and change of its routing verdict
{{ config(materialized='view', schema='ops') }}
select
    tenant_slug,
    source_platform,
    object,
    connection,
    landed_table,
    verdict,
    source_schema_hash,
    master_model,
    differences,
    reason,
    decided_at,
from {{ source('platform', 'routing_decisions') }}
