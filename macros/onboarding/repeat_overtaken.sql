{#
    A load that was taken before others, and pushed after them, must not overwrite what they said: a
    record that they found unchanged has no version of its own from then, and one that they did not
    find has none at all, so that the old load's row would be the newest. Of such records the state
    before this load is appended once more, dated when it was last confirmed, as row -2 of the load.
    Returns how many; only late loads have any, and only they pay for it.
#}
{% macro repeat_overtaken(push, landing, load, master) %}
    {% set later = later_loads(push, landing, load) if load.extracted_at else [] %}
    {% if not later %}
        {{ return(0) }}
    {% endif %}
    {% set keys %}
        (select n.key_prefix from {{ master }} as n where {{ pushed_of('n', push) }} and n.load_id = '{{ load.load_id }}')
    {% endset %}
    {% do keep_history(push, landing, master, keys) %}
    {% do run_query(overtaking_rows(load)) %}
    {% do run_query(later_sightings(push, landing, later)) %}
    {% for taken in later if taken.is_complete and taken.mode in ('snapshot', 'replace_scope') %}
        {% do run_query(insert_absences(push, load, taken, master)) %}
    {% endfor %}
    {{ return(run_query(insert_repeated(push, load, master)).rows[0][0]) }}
{% endmacro %}


{# The loads of the table that are pushed already and were taken after this one. #}
{% macro later_loads(push, landing, load) %}
    {% set relation = source(landing.source, landing.table) %}
    {% set loads_table = api.Relation.create(database=relation.database, schema=relation.schema, identifier='_martlet_loads') %}
    {% set query %}
        select _dlt_load_id, mode, is_complete, scope_accounts, scope_start, scope_end, extracted_at
        from {{ loads_table }}
        where
            table_name = '{{ landing.table }}'
            and extracted_at > timestamp '{{ load.extracted_at }}'
            and _dlt_load_id in (
                select load_id
                from {{ ref('platform_ops__push_ledger') }}
                where
                    tenant_slug = '{{ push.tenant }}'
                    and source_platform = '{{ push.platform }}'
                    and connection = '{{ landing.connection }}'
                    and object = '{{ push.object }}'
                    and landed_table = '{{ landing.table }}'
            )
    {% endset %}
    {% set loads = [] %}
    {% for row in run_query(query).rows %}
        {% do loads.append({
            'load_id': row[0], 'mode': row[1], 'is_complete': row[2], 'scope_accounts': fromjson(row[3]) if row[3] else [],
            'scope_start': row[4], 'scope_end': row[5], 'extracted_at': row[6],
        }) %}
    {% endfor %}
    {{ return(loads) }}
{% endmacro %}


{# The versions that this load has made the newest, and the version that was the newest before. #}
{% macro overtaking_rows(load) %}
    create or replace temp table martlet_overtaking as
    with
    newest as (
        select *
        from martlet_history
        qualify row_number() over (
            partition by tenant_skey order by extracted_at desc, load_id desc, load_row desc
        ) = 1
    ),
    before as (
        select *
        from martlet_history
        where load_id <> '{{ load.load_id }}'
        qualify row_number() over (
            partition by tenant_skey order by extracted_at desc, load_id desc, load_row desc
        ) = 1
    )
    select
        n.tenant_skey,
        n.load_row,
        b.tenant_skey is not null as was_there,
        coalesce(b.place, n.place) as state_place,
    from newest as n
    left join before as b on b.tenant_skey = n.tenant_skey
    where
        n.load_id = '{{ load.load_id }}'
        and n.extracted_at = {{ extracted_at(load) }}
        and n.record_hash is distinct from b.record_hash
{% endmacro %}


{# When the later loads found those records. #}
{% macro later_sightings(push, landing, later) %}
    create or replace temp table martlet_confirmed as
    select distinct f.tenant_skey, f.load_id, f.extracted_at
    from (
        select
            {{ numbered_key(push, landing) }} as tenant_skey,
            load_id,
            extracted_at,
        from (
            select
                tenant_skey,
                record_hash,
                load_id,
                extracted_at,
    {%- if not push.contract.key %}
                dense_rank() over (partition by load_id, record_hash order by load_row) as occurrence,
    {%- endif %}
            from {{ this }}
            where
                connection = '{{ landing.connection }}'
                and load_id in ({{ sql_literals(later | map(attribute='load_id')) }})
                and rejected_because is null
        ) as staged_rows
    ) as f
    semi join martlet_overtaking as o on o.tenant_skey = f.tenant_skey
{% endmacro %}


{# That a later, complete load did not find a record of its scope confirms that it is gone. #}
{% macro insert_absences(push, load, taken, master) %}
    insert into martlet_confirmed
    select m.tenant_skey, '{{ taken.load_id }}', timestamp '{{ taken.extracted_at }}'
    from {{ master }} as m
    semi join martlet_overtaking as o on o.tenant_skey = m.tenant_skey and o.load_row = m.load_row
    anti join martlet_confirmed as f on f.tenant_skey = m.tenant_skey and f.load_id = '{{ taken.load_id }}'
    where
        {{ pushed_of('m', push) }}
        and m.load_id = '{{ load.load_id }}'
    {%- if taken.mode == 'replace_scope' %}
        and {{ in_scope(push.contract, taken) }}
    {%- endif %}
{% endmacro %}


{# A record that was never there before stays known, as one that is gone. #}
{% macro insert_repeated(push, load, master) %}
    insert into {{ master }} ({{ master_columns() | map(attribute='name') | join(', ') }})
    select
        m.tenant_slug,
        m.source_platform,
        m.tenant_skey,
        m.source_schema_hash,
        cast(current_timestamp at time zone 'UTC' as timestamp),
        m.raw_data_payload,
        m.connection,
        case when o.was_there then m.record_hash else {{ tombstone_hash('m.record_hash') }} end,
        m.is_deleted or not o.was_there,
        c.extracted_at,
        '{{ load.load_id }}',
        -2,
        m.key_prefix,
    from martlet_overtaking as o
    inner join (
        select tenant_skey, max(extracted_at) as extracted_at
        from martlet_confirmed
        group by tenant_skey
    ) as c on c.tenant_skey = o.tenant_skey
    inner join {{ master }} as m on m.rowid = o.state_place
    where {{ pushed_of('m', push) }}
{% endmacro %}


{# Literals, so that the master is pruned to the tenant's rows. #}
{% macro pushed_of(alias, push) -%}
    {{ alias }}.tenant_slug = '{{ push.tenant }}' and {{ alias }}.source_platform = '{{ push.platform }}'
{%- endmacro %}
