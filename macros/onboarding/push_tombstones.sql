{#
    The current records of the load's scope that the load, being complete, says are gone. Only loads
    whose own scope overlaps can hold records of the scope: the ledger names them, so that the rest
    of the history is not read.
#}
{% macro missing_records(push, landing, load, master) %}
    create or replace temp table martlet_missing as
    with
    candidates as (
        select m.rowid as place, m.tenant_skey, m.extracted_at, m.is_deleted
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
    select c.place
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
        semi join martlet_missing as g on g.place = m.rowid
        where
            {{ pushed_of('m', push) }}
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
        key_prefix,
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
