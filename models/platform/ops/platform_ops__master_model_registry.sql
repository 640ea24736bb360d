-- grain: one row per source platform and object
{{ config(materialized='view', schema='ops') }}
select distinct
    master_model,
    source_platform,
    object,
    api_version,
from {{ source('platform', 'connector_blueprints') }}
where status = 'published'
