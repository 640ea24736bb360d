{#
    A fact that is rebuilt where its records changed. Each load that the ledger gained since the last
    refresh names the records it pushed; the record index says which parts of the fact (fact_parts)
    they were and are in; those parts are deleted and computed again, by the model's own query over
    the records of these parts alone.

    Whatever else could change a row makes a full rebuild: --full-refresh (or the variable `full`), a
    definition that is not the recorded one (the query, the views it reads, the columns), a ledger, a
    fact or an index that is not as it was left, an object that fact_parts does not know. What was
    done, and up to where, is recorded in the same transaction.
#}
{% materialization refreshed, default %}
    {% set existing = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {# Opens the transaction: what is read of the ledger is what is read of the masters. #}
    {% call statement('begin') %}select 1{% endcall %}
    {% if var('as_of', none) %}
        {% do replace_fact(existing, sql) %}
    {% else %}
        {% set inputs = fact_inputs() %}
        {% set state = fact_state(inputs, existing, sql) %}
        {% set reason = state.reason %}
        {% if not state.is_index_kept %}
            {% do replace_index(inputs) %}
        {% elif state.news %}
            {% do index_records(inputs, state.news) %}
        {% endif %}
        {% if state.news and not reason %}
            {% set reason = find_touched(inputs, state.news) %}
        {% endif %}
        {% if reason %}
            {% do replace_fact(existing, sql) %}
        {% elif state.news %}
            {% do replace_parts(inputs, sql) %}
        {% else %}
            {% call statement('main') %}select 1{% endcall %}
        {% endif %}
        {% if reason or state.news %}
            {% do keep_lookups(inputs, reason, state.news) %}
            {% do record_refresh(state, reason) %}
        {% endif %}
    {% endif %}
    {% do drop_refresh_tables() %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(this.incorporate(type='table'), model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}


{# The whole fact, by the model's query. #}
{% macro replace_fact(existing, query) %}
    {% if existing is not none %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') %}
        {{ create_table_as(False, this.incorporate(type='table'), query) }}
    {% endcall %}
{% endmacro %}


{# The touched parts: deleted, and inserted as the model's query computes them from their records. #}
{% macro replace_parts(inputs, query) %}
    {% set names = model.columns.keys() | map('lower') | join(', ') %}
    {% set narrowed = namespace(query=query) %}
    {% for input in inputs if input.records %}
        {% set view = 'martlet_view_' ~ loop.index %}
        {% do narrow_view(input, view, 'martlet_versions_' ~ loop.index) %}
        {% set narrowed.query = narrowed.query | replace(input.view | string, view) %}
    {% endfor %}
    {% do run_query("delete from " ~ this ~ " as f where " ~ is_rebuilt(inputs, 'f')) %}
    {% call statement('main') %}
        insert into {{ this }} ({{ names }})
        select {{ names }}
        from (
            {{ narrowed.query }}
        ) as f
        where {{ is_rebuilt(inputs, 'f') }}
    {% endcall %}
{% endmacro %}


{# The intermediate view of an input, over the versions of the records that are needed alone. #}
{% macro narrow_view(input, view, versions) %}
    {% set keys %}
        select tenant_skey, key_prefix
        from martlet_needed
        where source_platform = '{{ input.platform }}' and object = '{{ input.object }}'
    {% endset %}
    {% do keep_versions(versions, input.master, input_rows(input), keys) %}
    {% do run_query(
        "create or replace temp view " ~ view ~ " as "
        ~ unpack_master(versions, input.contract, input.tenant, input.platform, input.object)
    ) %}
{% endmacro %}


{# Whether a row of the fact, as `f`, lies in a part that is rebuilt. #}
{% macro is_rebuilt(inputs, f) -%}
    exists (
        select 1
        from martlet_parts as p
        where
            p.is_rebuilt
            and p.source_platform = {{ f }}.source_platform
            and p.connection = {{ f }}.connection
            and p.part = {{ fact_part(inputs) }}
    )
{%- endmacro %}


{# The part of a row of the fact: as its platform divides it. #}
{% macro fact_part(inputs) -%}
    {%- set parts = {} -%}
    {%- for input in inputs -%}
        {%- do parts.setdefault(input.fact_part, []) -%}
        {%- if input.platform not in parts[input.fact_part] -%}
            {%- do parts[input.fact_part].append(input.platform) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if parts | length == 1 -%}
        {{ inputs[0].fact_part }}
    {%- else -%}
        case{% for part, platforms in parts.items() %} when f.source_platform in ({{ sql_literals(platforms) }}) then {{ part }}{% endfor %} end
    {%- endif -%}
{%- endmacro %}
