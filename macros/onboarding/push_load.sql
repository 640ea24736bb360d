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
    {% do send(incoming_rows(push, landing, this, rows_of_load)) %}
    {% set counts = run_query(
        "select count(*), count(*) - count(distinct load_row), count(rejected_because) from martlet_incoming"
    ).rows[0] %}
    {% set is_doubled = counts[1] > 0 %}
    {% if is_doubled %}
        {# A killed load may have left a chunk twice: same load, same row. #}
        {% do send("delete from martlet_incoming where rowid not in (select min(rowid) from martlet_incoming group by load_row)") %}
    {% endif %}
    {% do keep_history(push, landing, master, 'martlet_incoming') %}
    {% do send(fresh_rows()) %}
    {% set fresh = fresh_found(counts[0]) %}
    {% if fresh.rows %}
        {% do send(insert_fresh(load, master, rows_of_load, is_doubled, fresh)) %}
    {% endif %}
    {% if fresh.new_keys %}
        {% do send(insert_new_keys(push, landing, load)) %}
    {% endif %}
    {% set pushed = namespace(tombstones=0) %}
    {% if load.is_complete and load.mode in ('snapshot', 'replace_scope') %}
        {% do send(missing_records(push, landing, load, master)) %}
        {# Which of them lie in the scope is read from payloads: not to be done where none is missing. #}
        {% if run_query('select count(*) from martlet_missing').rows[0][0] %}
            {% set pushed.tombstones = run_query(insert_tombstones(push, load, master)).rows[0][0] %}
        {% endif %}
    {% endif %}
    {% set repeated = repeat_overtaken(push, landing, load, master) if load.may_be_late else 0 %}
    {% if counts[2] or load.rows_refused %}
        {% do send(insert_rejected(push, landing, load, rows_of_load)) %}
    {% endif %}
    {% do send(insert_ledger_row(push, landing, load, counts[0], pushed.tombstones + repeated)) %}
{% endmacro %}


{# A statement whose answer nobody reads; run_query makes a typed table of each answer. #}
{% macro send(statement) %}
    {% do adapter.execute(statement) %}
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
    {% do send(key_places('martlet_places', master, "m.tenant_slug = '" ~ push.tenant ~ "'", keys)) %}
    {% set rows = pushed_of('m', push) ~ " and m.connection = '" ~ landing.connection ~ "'" %}
    {% set columns = ['m.tenant_skey', 'm.record_hash', 'm.extracted_at', 'm.load_id', 'm.load_row'] %}
    {% do send(
        'create or replace temp table martlet_history as ' ~ rows_at_places('martlet_places', master, rows, columns)
    ) %}
{% endmacro %}
