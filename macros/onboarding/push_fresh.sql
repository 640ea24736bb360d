{#
    The versions of a load that enter the master: their hash differs from the newest version of their
    key, in the order of the load.
#}
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
        c.record_hash,
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


{#
    What fresh_rows found: {rows, new_keys, condition}. A join does not keep the engine from packing
    all rows of the load; where few of them are fresh, `condition` names these, for the scan itself.
#}
{% macro fresh_found(rows_in_load) %}
    {% set most = 10000 %}
    {% set query %}
        select
            count(*),
            count(case when is_new_key then 1 end),
            (
                select 'load_row in (' || string_agg(load_row, ', ') || ')'
                from (select load_row from martlet_fresh limit {{ most }}) as few
            )
        from martlet_fresh
    {% endset %}
    {% set found = run_query(query).rows[0] %}
    {% set is_few = found[0] <= most and found[0] * 2 <= rows_in_load %}
    {{ return({'rows': found[0], 'new_keys': found[1], 'condition': found[2] if is_few else 'true'}) }}
{% endmacro %}


{# The key and the hash are those that were compared; only the rest is read from the landing again. #}
{% macro insert_fresh(load, master, rows_of_load, is_doubled, fresh) %}
    {% set names = master_columns() | map(attribute='name') | list %}
    {% set compared = ['tenant_skey', 'key_prefix', 'record_hash'] %}
    insert into {{ master }} ({{ names | join(', ') }})
    select
        {%- for name in names %}
        {{ "'" ~ load.load_id ~ "' as load_id" if name == 'load_id' else ('f.' if name in compared else 's.') ~ name }},
        {%- endfor %}
    from (select * from {{ this }} where {{ rows_of_load }} and {{ fresh.condition }}) as s
    inner join martlet_fresh as f on f.load_row = s.load_row
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
