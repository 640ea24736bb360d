{#
    Pushes one load: a row enters the master when its hash differs from the newest version of its
    key, in the order (extracted_at, load, row). Then the tombstones that the load's mode asks for,
    what a late load must not overwrite (counted with the tombstones: the source sent neither), the
    rows it refused, and its ledger row. The caller holds the transaction.

    Narrow columns are compared first; the payload is packed only for the rows that enter.
#}
{% macro push_load(push, landing, load) %}
    {% set master = ref(push.master) %}
    {% set rows_of_load = "connection = '" ~ landing.connection ~ "' and " ~ load.rows_of %}
    {% do run_query(incoming_rows(push, landing, this, rows_of_load)) %}
    {% set counts = run_query("select count(*), count(*) - count(distinct load_row) from martlet_incoming").rows[0] %}
    {% set is_doubled = counts[1] > 0 %}
    {% if is_doubled %}
        {# A killed load may have left a chunk twice: same load, same row. #}
        {% do run_query("delete from martlet_incoming where rowid not in (select min(rowid) from martlet_incoming group by load_row)") %}
    {% endif %}
    {% do run_query(fresh_rows(push, landing, master)) %}
    {% do run_query(insert_fresh(load, master, rows_of_load, is_doubled)) %}
    {% do run_query(insert_new_keys(push, landing, load)) %}
    {% set tombstones = 0 %}
    {% if load.is_complete and load.mode in ('snapshot', 'replace_scope') %}
        {% do run_query(missing_records(push, landing, load, master)) %}
        {% set tombstones = run_query(insert_tombstones(push, load, master)).rows[0][0] %}
    {% endif %}
    {% set repeated = repeat_overtaken(push, landing, load, master) %}
    {% do run_query(insert_rejected(push, landing, load, rows_of_load)) %}
    {% do run_query(insert_ledger_row(push, landing, load, counts[0], tombstones + repeated)) %}
{% endmacro %}


{# The load's rows without their payloads. #}
{% macro incoming_rows(push, landing, staged, rows_of_load) %}
    create or replace temp table martlet_incoming as
    select
        {{ numbered_key(push, landing) }} as tenant_skey,
        record_hash,
        extracted_at,
        load_row,
        rejected_because,
        source_schema_hash,
    from (
        select
            tenant_skey,
            record_hash,
            extracted_at,
            load_row,
            rejected_because,
            source_schema_hash,
    {%- if not push.contract.key %}
            dense_rank() over (partition by record_hash order by load_row) as occurrence,
    {%- endif %}
        from {{ staged }}
        where {{ rows_of_load }}
    ) as staged_rows
{% endmacro %}


{# The same event twice in one load is two events. #}
{% macro numbered_key(push, landing) -%}
    {%- if push.contract.key -%}
        tenant_skey
    {%- else -%}
        case when occurrence = 1 then tenant_skey else {{ tenant_key(push, landing, [], 'occurrence') }} end
    {%- endif -%}
{%- endmacro %}


{% macro fresh_rows(push, landing, master) %}
    create or replace temp table martlet_fresh as
    with
    history as (
        select m.tenant_skey, m.record_hash, m.extracted_at, m.load_id, m.load_row
        from {{ master }} as m
        semi join martlet_incoming as i on i.tenant_skey = m.tenant_skey
        where
            m.tenant_slug = '{{ push.tenant }}'
            and m.source_platform = '{{ push.platform }}'
            and m.connection = '{{ landing.connection }}'
    ),
    newest as (
        select tenant_skey, record_hash, extracted_at
        from history
        qualify row_number() over (
            partition by tenant_skey order by extracted_at desc, load_id desc, load_row desc
        ) = 1
    ),
    compared as (
        select
            i.tenant_skey,
            i.record_hash,
            i.extracted_at,
            i.load_row,
            lag(i.record_hash) over (
                partition by i.tenant_skey order by i.extracted_at, i.load_row
            ) as hash_before_in_load,
            n.record_hash as newest_hash,
            coalesce(i.extracted_at < n.extracted_at, false) as is_late,
        from martlet_incoming as i
        left join newest as n on n.tenant_skey = i.tenant_skey
        where i.rejected_because is null
    )
    select
        c.load_row,
        c.tenant_skey,
        c.extracted_at,
        c.newest_hash is null and c.hash_before_in_load is null as is_new_key,
    from compared as c
    {# An old export delivered again brings versions that are there already. #}
    left join history as h
        on c.is_late
        and h.tenant_skey = c.tenant_skey
        and h.record_hash = c.record_hash
        and h.extracted_at = c.extracted_at
    where
        c.record_hash is distinct from c.hash_before_in_load
        and (
            (not c.is_late and c.hash_before_in_load is not null)
            or (c.record_hash is distinct from c.newest_hash and h.tenant_skey is null)
        )
{% endmacro %}


{% macro insert_fresh(load, master, rows_of_load, is_doubled) %}
    {% set names = master_columns() | map(attribute='name') | list %}
    insert into {{ master }} ({{ names | join(', ') }})
    select
        {%- for name in names %}
        {{ "'" ~ load.load_id ~ "' as load_id" if name == 'load_id' else ('f.' if name == 'tenant_skey' else 's.') ~ name }},
        {%- endfor %}
    from {{ this }} as s
    inner join martlet_fresh as f on f.load_row = s.load_row
    where {{ rows_of_load }}
    {%- if is_doubled %}
    qualify row_number() over (partition by s.load_row) = 1
    {%- endif %}
{% endmacro %}


{% macro insert_new_keys(push, landing, load) %}
    insert into {{ ref('hub_key_registry') }} ({{ hub_key_registry_columns() | map(attribute='name') | join(', ') }})
    select
        '{{ push.tenant }}',
        '{{ push.platform }}',
        '{{ landing.connection }}',
        '{{ push.object }}',
        tenant_skey,
        '{{ load.load_id }}',
        extracted_at,
    from martlet_fresh
    where is_new_key
{% endmacro %}


{#
    The current records of the load's scope that the load, being complete, says are gone. Only loads
    whose own scope overlaps can hold records of the scope: the ledger names them, so that the rest
    of the history is not read.
#}
{% macro missing_records(push, landing, load, master) %}
    create or replace temp table martlet_missing as
    with
    candidates as (
        select m.tenant_skey, m.load_id, m.load_row, m.extracted_at, m.is_deleted
        from {{ master }} as m
        where
            m.tenant_slug = '{{ push.tenant }}'
            and m.source_platform = '{{ push.platform }}'
            and m.connection = '{{ landing.connection }}'
    {%- if load.mode == 'replace_scope' %}
            and m.load_id in (
                select load_id
                from {{ ref('platform_ops__push_ledger') }}
                where
                    tenant_slug = '{{ push.tenant }}'
                    and source_platform = '{{ push.platform }}'
                    and connection = '{{ landing.connection }}'
                    and object = '{{ push.object }}'
                    and coalesce(scope_start <= date '{{ load.scope_end }}', true)
                    and coalesce(scope_end >= date '{{ load.scope_start }}', true)
            )
    {%- endif %}
        qualify row_number() over (
            partition by m.tenant_skey
            order by m.extracted_at desc, m.load_id desc, m.load_row desc
        ) = 1
    )
    select c.tenant_skey, c.load_id, c.load_row
    from candidates as c
    anti join martlet_incoming as i on i.tenant_skey = c.tenant_skey
    where
        not c.is_deleted
        and c.extracted_at <= {{ extracted_at(load) }}
{% endmacro %}


{# When the load was taken from the source: as its loader recorded it, else its newest row. #}
{% macro extracted_at(load) -%}
    {%- if load.extracted_at -%}
        timestamp '{{ load.extracted_at }}'
    {%- else -%}
        (select max(extracted_at) from martlet_incoming)
    {%- endif -%}
{%- endmacro %}


{% macro insert_tombstones(push, load, master) %}
    insert into {{ master }} ({{ master_columns() | map(attribute='name') | join(', ') }})
    with gone as (
        select m.*
        from {{ master }} as m
        semi join martlet_missing as g
            on g.tenant_skey = m.tenant_skey and g.load_id = m.load_id and g.load_row = m.load_row
        where
            m.tenant_slug = '{{ push.tenant }}'
            and m.source_platform = '{{ push.platform }}'
    {%- if load.mode == 'replace_scope' %}
            and {{ in_scope(push.contract, load) }}
    {%- endif %}
    )
    select
        tenant_slug,
        source_platform,
        tenant_skey,
        source_schema_hash,
        cast(current_timestamp at time zone 'UTC' as timestamp),
        raw_data_payload,
        connection,
        {{ tombstone_hash('record_hash') }},
        true,
        {{ extracted_at(load) }},
        '{{ load.load_id }}',
        -1,
    from gone
{% endmacro %}


{# Differs from the hash of every record, so that one which returns is a new version. #}
{% macro tombstone_hash(record_hash) -%}
    cast(md5('gone ' || {{ record_hash }}) as uuid)
{%- endmacro %}


{# Whether a stored record lies in what the load fetched whole; one without an account may. #}
{% macro in_scope(contract, load) %}
    {{ unpacked_column(contract, contract.scope.date, 'm.raw_data_payload') }} between date '{{ load.scope_start }}' and date '{{ load.scope_end }}'
    {%- if load.scope_accounts and contract.scope.account %}
            and coalesce({{ unpacked_column(contract, contract.scope.account, 'm.raw_data_payload') }} in ('{{ load.scope_accounts | join("', '") }}'), true)
    {%- endif %}
{% endmacro %}


{# What the load refused: rows that their contract refused when landing, and rows without a key. #}
{% macro insert_rejected(push, landing, load, rows_of_load) %}
    {% set names = quarantine_rows_columns() | map(attribute='name') | join(', ') %}
    insert into {{ ref('platform_ops__quarantine_rows') }} ({{ names }})
    select
        tenant_slug,
        source_platform,
        connection,
        '{{ push.object }}',
        '{{ load.load_id }}',
        load_row,
        rejected_because,
        cast(null as varchar),
        raw_data_payload,
        loaded_at,
    from {{ this }}
    where
        {{ rows_of_load }}
        and load_row in (select load_row from martlet_incoming where rejected_because is not null)
    {%- if load.rows_refused %}
    {%- set relation = source(landing.source, landing.table) %}
    union all
    select
        '{{ push.tenant }}',
        platform,
        connection,
        object,
        _dlt_load_id,
        load_row,
        error,
        path,
        raw_record,
        cast(current_timestamp at time zone 'UTC' as timestamp),
    from {{ relation.database }}.{{ adapter.quote(relation.schema) }}._martlet_quarantine_rows
    where table_name = '{{ landing.table }}' and _dlt_load_id = '{{ load.load_id }}'
    {%- endif %}
{% endmacro %}


{% macro insert_ledger_row(push, landing, load, rows_in_table, tombstones) %}
    insert into {{ ref('platform_ops__push_ledger') }} ({{ push_ledger_columns() | map(attribute='name') | join(', ') }})
    select
        '{{ push.tenant }}',
        '{{ push.platform }}',
        '{{ landing.connection }}',
        '{{ push.object }}',
        '{{ load.load_id }}',
        '{{ landing.table }}',
        source_schema_hash,
        '{{ load.mode }}',
        {{ "date '" ~ load.scope_start ~ "'" if load.scope_start else 'null' }},
        {{ "date '" ~ load.scope_end ~ "'" if load.scope_end else 'null' }},
        {{ extracted_at(load) }},
        landed,
        pushed,
        landed - pushed - quarantined,
        quarantined,
        0,
        {{ tombstones }},
        cast(current_timestamp at time zone 'UTC' as timestamp),
    from (
        select
            coalesce(max(source_schema_hash), '{{ landing.source_schema_hash }}') as source_schema_hash,
            {{ rows_in_table + load.rows_refused if load.rows_missing is none else load.rows_missing }} as landed,
            (select count(*) from martlet_fresh) as pushed,
            count(rejected_because) + {{ load.rows_refused }} as quarantined,
        from martlet_incoming
    ) as counted
{% endmacro %}
