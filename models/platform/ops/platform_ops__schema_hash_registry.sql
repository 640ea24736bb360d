-- grain: one row per known physical shape of an object, published or learned
{{ config(materialized='view', schema='ops') }}
select
    source_schema_hash,
    schema_family_hash,
    source_platform,
    object,
    master_model,
    loader,
    version,
    status,
    columns,
    first_seen_at,
from {{ source('platform', 'connector_blueprints') }}
