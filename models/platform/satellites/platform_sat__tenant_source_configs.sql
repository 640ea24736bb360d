-- grain: one row per tenant and source platform of its newest configuration
{{ config(materialized='view', schema='platform') }}
with
history as (
    select * from {{ ref('platform_sat__tenant_config_history') }}
),
newest as (
    select *
    from history
    qualify row_number() over (partition by tenant_slug order by version_number desc) = 1
),
sources as (
    select
        tenant_slug,
        version_number,
        seen_at,
        {{ json_member_names('config', '$.sources') }} as source_platform,
        config,
    from newest
)
select
    tenant_slug,
    source_platform,
    cast({{ json_value_at('config', "'$.sources.' || source_platform || '.enabled'") }} as boolean) as is_enabled,
    {{ json_value_at('config', "'$.sources.' || source_platform || '.objects'") }} as objects,
    {{ json_value_at('config', "'$.sources.' || source_platform || '.connections'") }} as connections,
    {{ json_value_at('config', "'$.sources.' || source_platform || '.tables'") }} as table_logic,
    version_number,
    seen_at,
from sources
