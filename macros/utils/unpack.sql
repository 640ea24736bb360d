{#
    The intermediate view of one tenant's object: the newest version of every record, its payload
    parsed once, typed, with the tenant's own logic. Deleted records stay, marked by is_deleted.

    The newest version is found by taking the superseded ones away: only keys that have several
    versions are ordered, over narrow columns, and no payload passes a window.
#}
{% macro unpack_master(master, contract, tenant, platform, object) %}
with
versions as not materialized (
    select *
    from {{ master }}
    where
        tenant_slug = '{{ tenant }}'
        and source_platform = '{{ platform }}'
        and {{ known_then() }}
),
repeated as (
    select tenant_skey
    from versions
    group by tenant_skey
    having count(*) > 1
),
superseded as (
    select v.tenant_skey, v.load_id, v.load_row
    from versions as v
    semi join repeated as r on r.tenant_skey = v.tenant_skey
    qualify row_number() over (
        partition by v.tenant_skey
        order by v.extracted_at desc, v.load_id desc, v.load_row desc
    ) > 1
),
newest as (
    select v.*
    from versions as v
    anti join superseded as s
        on s.tenant_skey = v.tenant_skey and s.load_id = v.load_id and s.load_row = v.load_row
),
{{ typed_rows('newest', contract) }}
select
    *,
{%- if 'event_name' in contract.columns | map(attribute='name') %}
    {{ event_logic(tenant, platform, object) }}
{%- endif %}
from typed
where {{ apply_tenant_logic(tenant, platform, object) }}
{% endmacro %}


{#
    The last steps before a typed record, as the common tables `parsed`, `listed` and `keyed` (where a
    column is read from a list) and `typed`: every payload of `relation`, which has a master's columns, is
    parsed once; `kept` names those of its columns that are wanted beside the record's.
#}
{% macro typed_rows(relation, contract, kept=[]) -%}
{%- set texts = contract.columns | rejectattr('list_key') | map(attribute='paths') | sum(start=[]) | unique(case_sensitive=true) | list %}
{%- set lists = listed_fields(contract) %}
{%- set plan = json_plan(texts, lists) %}
parsed as (
    select *, {{ json_parsed('raw_data_payload', plan) }}
    from {{ relation }}
),
{%- if lists %}
listed as (
    select
        *,
    {%- for path, fields in lists.items() %}
        {{ json_key_values('raw_data_payload', plan, path, fields) }} as _list_{{ loop.index }},
    {%- endfor %}
    from parsed
),
keyed as (
    select
        *,
    {%- for path in lists %}
        {{ json_keys_of('_list_' ~ loop.index) }} as _keys_{{ loop.index }},
    {%- endfor %}
    from listed
),
{%- endif %}
typed as (
    select
        tenant_slug,
        source_platform,
        connection,
        tenant_skey,
    {%- for column in contract.columns if column.name != 'is_deleted' %}
        {{ unpacked_field(column, plan, lists) }} as {{ column.name }},
    {%- endfor %}
        {# Gone from the source, said by its loader, or by a field of the record itself. #}
        is_deleted
    {%- for column in contract.columns if column.name == 'is_deleted' %} or coalesce({{ unpacked_field(column, plan, lists) }}, false){% endfor %} as is_deleted,
        extracted_at,
        loaded_at,
        load_id,
        source_schema_hash,
        raw_data_payload,
    {%- for name in kept %}
        {{ name }},
    {%- endfor %}
    from {{ 'keyed' if lists else 'parsed' }}
)
{%- endmacro %}


{# The paths that are read as lists, each with the fields that are read from its entries. #}
{% macro listed_fields(contract) %}
    {% set lists = {} %}
    {% for column in contract.columns if column.list_key %}
        {% set known = lists.get(column.paths[0], []) %}
        {% do lists.update({column.paths[0]: (known + column.list_value) | unique(case_sensitive=true) | list}) %}
    {% endfor %}
    {{ return(lists) }}
{% endmacro %}


{# One typed column from the parsed texts; an empty text is an absent value, but for text itself. #}
{% macro unpacked_field(column, plan, lists) -%}
    {%- if column.list_key -%}
        {%- set number = (lists.keys() | list).index(column.paths[0]) + 1 -%}
        {{ cast_landed(key_value('_list_' ~ number, '_keys_' ~ number, column.list_key, column.list_value), column.type) }}
    {%- else -%}
        {%- set texts = [] -%}
        {%- for path in column.paths -%}
            {%- do texts.append(json_field('raw_data_payload', plan, path, column.type in ('varchar', 'json'))) -%}
        {%- endfor -%}
        {{ cast_landed(texts[0] if texts | length == 1 else 'coalesce(' ~ texts | join(', ') ~ ')', column.type) }}
    {%- endif -%}
{%- endmacro %}


{# One contract column read straight from a payload expression, where only that one is needed. #}
{% macro unpacked_column(contract, name, payload) -%}
    {%- set column = (contract.columns | selectattr('name', 'equalto', name) | list)[0] -%}
    {%- set texts = [] -%}
    {%- for path in column.paths -%}
        {%- do texts.append(json_text(payload, path | replace("'", "''"))) -%}
    {%- endfor -%}
    {{ cast_landed(texts[0] if texts | length == 1 else 'coalesce(' ~ texts | join(', ') ~ ')', column.type) }}
{%- endmacro %}


{# Whether an event converts, and the step of the funnel that it is (1 is the first), per tenant. #}
{% macro event_logic(tenant, platform, object) -%}
    {%- set logic = get_client_logic(tenant, platform, object) -%}
    {%- set conversions = logic.get('conversion_events', []) -%}
    {%- set steps = logic.get('funnel_steps', []) -%}
    {{ "event_name in (" ~ sql_literals(conversions) ~ ")" if conversions else 'false' }} as is_conversion_event,
    coalesce(list_position({{ '[' ~ sql_literals(steps) ~ ']' if steps else 'cast([] as varchar[])' }}, event_name), 0) as funnel_step,
{%- endmacro %}
