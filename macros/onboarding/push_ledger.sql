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
        landed - pushed - quarantined - {{ load.rows_erased }},
        quarantined,
        {{ load.rows_erased }},
        {{ tombstones }},
        cast(current_timestamp at time zone 'UTC' as timestamp),
    from (
        select
            coalesce(max(source_schema_hash), '{{ landing.source_schema_hash }}') as source_schema_hash,
            {{ rows_in_table + load.rows_refused + load.rows_erased if load.rows_missing is none else load.rows_missing }} as landed,
            (select count(*) from martlet_fresh) as pushed,
            count(rejected_because) + {{ load.rows_refused }} as quarantined,
        from martlet_incoming
    ) as counted
{% endmacro %}
