{#
    One select per landed table of a tenant's object: every landed row, packed to JSON, with the
    standard columns of a master model. `push` says where the rows come from and where they go; the
    same mapping stands in the model's meta, where sync_to_master_hub reads it:

        tenant, platform, object, master   who and what
        landings                           [{source, table, connection, source_schema_hash,
                                             account_column?, accounts?}]
#}
{% macro generate_staging_pusher(push, contract) %}
{%- set push = dict(push, contract=contract) %}
{# The hook writes to these; dbt must know before it runs. #}
-- depends_on: {{ ref(push.master) }}, {{ ref('platform_ops__push_ledger') }}, {{ ref('platform_ops__quarantine_rows') }}, {{ ref('platform_sat__source_schema_history') }}, {{ ref('hub_key_registry') }}
{%- set selects = [] %}
{%- for landing in push.landings %}
    {%- set relation = source(landing.source, landing.table) %}
    {%- set shape = landed_shape(relation) if execute else none %}
    {%- if shape is not none %}
        {%- do selects.append(packed_select(push, landing, relation, shape)) %}
    {%- elif execute %}
        {%- do log(push.tenant ~ ': ' ~ landing.table ~ ' has not landed yet', info=true) %}
    {%- endif %}
{%- endfor %}
{%- if selects %}
{{ selects | join('\nunion all\n') }}
{%- else %}
select
    {%- for column in staging_columns() %}
    cast(null as {{ column.type }}) as {{ column.name }},
    {%- endfor %}
where false
{%- endif %}
{% endmacro %}


{# The columns of a master model, and why a row may not enter it. #}
{% macro staging_columns() %}
    {{ return(master_columns() + [{'name': 'rejected_because', 'type': 'varchar'}]) }}
{% endmacro %}


{% macro packed_select(push, landing, relation, shape) %}
{%- set shape = aliased_shape(push, landing, shape) %}
{%- set key = landed_key(push, relation, shape) %}
{%- set loader = bookkeeping(shape) %}
{%- set skey = tenant_key(push, landing, key.parts) -%}
select
    '{{ push.tenant }}' as tenant_slug,
    '{{ push.platform }}' as source_platform,
    {{ skey }} as tenant_skey,
    '{{ shape.source_schema_hash }}' as source_schema_hash,
    cast(current_timestamp at time zone 'UTC' as timestamp) as loaded_at,
    raw_data_payload,
    '{{ landing.connection }}' as connection,
    record_hash,
    is_deleted,
    extracted_at,
    load_id,
    load_row,
    {{ key_prefix(skey, 'key_day') }} as key_prefix,
    rejected_because,
from (
    select
        {{ pack_json(shape.readable) }} as raw_data_payload,
        {{ record_hash(shape.hashed, loader.is_deleted) }} as record_hash,
    {%- for part in key.parts %}
        {{ part }} as key_{{ loop.index }},
    {%- endfor %}
        {{ landed_key_day(push.contract, shape) }} as key_day,
        {{ loader.is_deleted }} as is_deleted,
        {{ loader.extracted_at }} as extracted_at,
        {{ loader.load_id }} as load_id,
        {{ loader.load_row }} as load_row,
        {{ key.rejected_because }} as rejected_because,
    from {{ relation }}
    {%- if landing.accounts is defined %}
    where {{ account_expression(landing.account_column, shape) }} in ({{ sql_literals(landing.accounts) }})
    {%- endif %}
) as landed
{%- endmacro %}


{#
    The surrogate key of a record: tenant, platform, connection, object and the record's own key.
    What has no key is known by its hash and which occurrence of it in its load it is; the push
    numbers those that occur again, over narrow columns.
#}
{% macro tenant_key(push, landing, key_parts, occurrence="'1'") -%}
    {%- set parts = ["'" ~ push.tenant ~ "'", "'" ~ push.platform ~ "'", "'" ~ landing.connection ~ "'", "'" ~ push.object ~ "'"] -%}
    {%- for part in key_parts -%}
        {%- do parts.append('key_' ~ loop.index) -%}
    {%- endfor -%}
    {{ gen_tenant_key(parts if key_parts else parts + ['record_hash', occurrence]) }}
{%- endmacro %}


{# The expressions that make a record's key from the physical columns, and the check on them. #}
{% macro landed_key(push, relation, shape) %}
    {%- set parts = [] %}
    {%- set checks = [] %}
    {%- for name in push.contract.key + push.contract.optional_key %}
        {%- set expression = landed_expression(push.contract, name, shape) %}
        {%- if expression is none and name in push.contract.key %}
            {{ exceptions.raise_compiler_error(
                relation ~ " has no column for the key '" ~ name ~ "' of " ~ push.platform ~ " "
                ~ push.object ~ ". Remedy: run `martlet run`, which quarantines the table and says why."
            ) }}
        {%- endif %}
        {%- do parts.append(expression or 'null') %}
        {%- if name in push.contract.key %}
            {%- do checks.append("when " ~ expression ~ " is null then 'key column " ~ name ~ " is null'") %}
        {%- endif %}
    {%- endfor %}
    {# JSON has no NaN: packed, it would be a null that nobody was told of. #}
    {%- for column in shape.columns if column.family == 'float' %}
        {%- do checks.append("when not isfinite(" ~ adapter.quote(column.name) ~ ") then '" ~ column.name | replace("'", "''") ~ ": NaN is no number'") %}
    {%- endfor %}
    {{ return({
        'parts': parts,
        'rejected_because': 'case ' ~ checks | join(' ') ~ ' end' if checks else 'cast(null as varchar)',
    }) }}
{% endmacro %}


{#
    A contract column read from the physical columns of a landed table: the first of its JSON paths
    whose first step is a column there; none when there is none.
#}
{% macro landed_expression(contract, name, shape) %}
    {%- set column = (contract.columns | selectattr('name', 'equalto', name) | list)[0] %}
    {%- set candidates = [] %}
    {%- for path in column.paths %}
        {%- set steps = modules.re.match('^\\$\\.("(?P<quoted>[^"]+)"|(?P<plain>[^.\\[]+))(?P<rest>.*)$', path) %}
        {%- set head = (steps.group('quoted') or steps.group('plain')) | lower %}
        {%- for landed in shape.readable if landed.name | lower == head %}
            {%- set quoted = landed_name(landed) %}
            {#- A field that the contract did not know has landed as JSON, its text in quotes. #}
            {%- set is_document = steps.group('rest') or (landed.landed and landed.family == 'json') %}
            {%- do candidates.append(json_text(quoted, '$' ~ steps.group('rest')) if is_document else 'cast(' ~ quoted ~ ' as varchar)') %}
        {%- endfor %}
    {%- endfor %}
    {{ return('coalesce(' ~ candidates | join(', ') ~ ')' if candidates | length > 1 else (candidates[0] if candidates else none)) }}
{% endmacro %}


{#
    The account of a row of a shared table: a column of that name, else a member of a JSON column
    (`customer.id` of a native Google row).
#}
{% macro account_expression(account_column, shape) %}
    {%- for landed in shape.columns if landed.name | lower == account_column | lower %}
        {{ return('cast(' ~ adapter.quote(landed.name) ~ ' as varchar)') }}
    {%- endfor %}
    {%- set head, _, rest = account_column.partition('.') %}
    {{ return(json_text(adapter.quote(head), '$.' ~ rest)) }}
{% endmacro %}


{# What a loader says of each row, read from its own columns: load, order, time, deletion. #}
{% macro bookkeeping(shape) %}
    {%- set names = shape.bookkeeping | map('lower') | list %}
    {%- set moments = [
        ('_martlet_extracted_at', "cast(_martlet_extracted_at at time zone 'UTC' as timestamp)"),
        ('_airbyte_extracted_at', "cast(cast(_airbyte_extracted_at as timestamptz) at time zone 'UTC' as timestamp)"),
        ('_airbyte_emitted_at', "cast(cast(_airbyte_emitted_at as timestamptz) at time zone 'UTC' as timestamp)"),
        ('_fivetran_synced', "cast(cast(_fivetran_synced as timestamptz) at time zone 'UTC' as timestamp)"),
        ('_sdc_extracted_at', "cast(cast(_sdc_extracted_at as timestamptz) at time zone 'UTC' as timestamp)"),
        ('_sdc_batched_at', "cast(cast(_sdc_batched_at as timestamptz) at time zone 'UTC' as timestamp)"),
        ('_dlt_load_id', "make_timestamp(cast(cast(_dlt_load_id as double) * 1000000 as bigint))"),
    ] | selectattr(0, 'in', names) | map(attribute=1) | list %}
    {%- set deletions = [
        ('_fivetran_deleted', 'coalesce(_fivetran_deleted, false)'),
        ('_ab_cdc_deleted_at', '_ab_cdc_deleted_at is not null'),
        ('_sdc_deleted_at', '_sdc_deleted_at is not null'),
    ] | selectattr(0, 'in', names) | map(attribute=1) | list %}
    {{ return({
        'load_id': '_dlt_load_id' if '_dlt_load_id' in names else 'cast(null as varchar)',
        'load_row': '_martlet_row' if '_martlet_row' in names else 'rowid',
        'extracted_at': moments[0] if moments else "cast(current_timestamp at time zone 'UTC' as timestamp)",
        'is_deleted': deletions[0] if deletions else 'false',
    }) }}
{% endmacro %}
