{#
    Pushes one load: a row enters the master when its hash differs from the newest version of its
    key, in the order (extracted_at, load, row). Then the tombstones that the load's mode asks for,
    what a late load must not overwrite (counted with the tombstones: the source sent neither), the
    rows it refused, and its ledger row. The caller holds the transaction.

    Narrow columns are compared first; the payload is packed only for the rows that enter. Of the
    history nothing is read but prefixes of keys, and what they find (martlet_history).
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
    {% do keep_history(push, landing, master, 'martlet_incoming') %}
    {% do run_query(fresh_rows()) %}
    {% do run_query(insert_fresh(load, master, rows_of_load, is_doubled)) %}
    {% do run_query(insert_new_keys(push, landing, load)) %}
    {% set pushed = namespace(tombstones=0) %}
    {% if load.is_complete and load.mode in ('snapshot', 'replace_scope') %}
        {% do run_query(missing_records(push, landing, load, master)) %}
        {# Which of them lie in the scope is read from payloads: not to be done where none is missing. #}
        {% if run_query('select count(*) from martlet_missing').rows[0][0] %}
            {% set pushed.tombstones = run_query(insert_tombstones(push, load, master)).rows[0][0] %}
        {% endif %}
    {% endif %}
    {% set repeated = repeat_overtaken(push, landing, load, master) %}
    {% do run_query(insert_rejected(push, landing, load, rows_of_load)) %}
    {% do run_query(insert_ledger_row(push, landing, load, counts[0], pushed.tombstones + repeated)) %}
{% endmacro %}


{# The load's rows without their payloads. #}
{% macro incoming_rows(push, landing, staged, rows_of_load) %}
    create or replace temp table martlet_incoming as
    select * exclude (staged_prefix), {{ key_prefix('tenant_skey', day_of_prefix('staged_prefix')) }} as key_prefix
    from (
        select
            {{ numbered_key(push, landing) }} as tenant_skey,
            record_hash,
            extracted_at,
            load_row,
            rejected_because,
            source_schema_hash,
            key_prefix as staged_prefix,
        from (
            select
                tenant_skey,
                record_hash,
                extracted_at,
                load_row,
                rejected_because,
                source_schema_hash,
                key_prefix,
    {%- if not push.contract.key %}
                dense_rank() over (partition by record_hash order by load_row) as occurrence,
    {%- endif %}
            from {{ staged }}
            where {{ rows_of_load }}
        ) as staged_rows
    ) as numbered
{% endmacro %}


{# The same event twice in one load is two events. #}
{% macro numbered_key(push, landing) -%}
    {%- if push.contract.key -%}
        tenant_skey
    {%- else -%}
        case when occurrence = 1 then tenant_skey else {{ tenant_key(push, landing, [], 'occurrence') }} end
    {%- endif -%}
{%- endmacro %}


{#
    martlet_history: the versions of the keys of `keys`, and their places in the master. It may hold a
    version of a key that has only its prefix in common with one of them.
#}
{% macro keep_history(push, landing, master, keys) %}
    {# One literal, so that others' rows are pruned: each more is compared row by row. #}
    {% do run_query(key_places('martlet_places', master, "m.tenant_slug = '" ~ push.tenant ~ "'", keys)) %}
    {% set rows = pushed_of('m', push) ~ " and m.connection = '" ~ landing.connection ~ "'" %}
    {% set columns = ['m.tenant_skey', 'm.record_hash', 'm.extracted_at', 'm.load_id', 'm.load_row'] %}
    {% do run_query(
        'create or replace temp table martlet_history as ' ~ rows_at_places('martlet_places', master, rows, columns)
    ) %}
{% endmacro %}


{% macro fresh_rows() %}
    create or replace temp table martlet_fresh as
    with
    newest as (
        select tenant_skey, record_hash, extracted_at
        from martlet_history
        qualify row_number() over (
            partition by tenant_skey order by extracted_at desc, load_id desc, load_row desc
        ) = 1
    ),
    compared as (
        select
            i.tenant_skey,
            i.key_prefix,
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
        c.key_prefix,
        c.extracted_at,
        c.newest_hash is null and c.hash_before_in_load is null as is_new_key,
    from compared as c
    {# An old export delivered again brings versions that are there already. #}
    left join martlet_history as h
        {# The key alone in the condition: with `c.is_late and ...` the join would be a nested loop. #}
        on h.tenant_skey = case when c.is_late then c.tenant_skey end
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
        {{ "'" ~ load.load_id ~ "' as load_id" if name == 'load_id' else ('f.' if name in ('tenant_skey', 'key_prefix') else 's.') ~ name }},
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
