{#
    The last step of a campaigns engine: one row per campaign of a connection, with the first and
    newest extraction of it. `relation` has tenant_skey, the canonical columns but first_seen_at and
    last_seen_at, and may have several rows a campaign (Google repeats it by day): the newest wins.
#}
{% macro finish_campaigns(relation, master, tenant, platform) %}
sightings as (
    select
        tenant_skey,
        min(extracted_at) as first_seen_at,
        max(extracted_at) as last_seen_at,
    from {{ master }}
    where tenant_slug = '{{ tenant }}' and source_platform = '{{ platform }}' and {{ known_then() }}
    group by tenant_skey
),
sighted as (
    select
        r.*,
        min(s.first_seen_at) over campaign as first_seen_at,
        max(s.last_seen_at) over campaign as last_seen_at,
        s.last_seen_at as seen_at,
    from {{ relation }} as r
    inner join sightings as s on s.tenant_skey = r.tenant_skey
    window campaign as (partition by r.connection, r.account_id, r.campaign_id)
),
newest_campaigns as (
    select *
    from sighted
    qualify row_number() over (
        partition by connection, account_id, campaign_id order by seen_at desc, tenant_skey
    ) = 1
)
{{ select_canonical('newest_campaigns', 'campaigns', canonical_columns('campaigns') | map(attribute='name') | list) }}
{% endmacro %}
