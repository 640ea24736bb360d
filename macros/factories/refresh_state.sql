{#
    What the fact is made of, an entry for each intermediate view that its query reads: view, tenant,
    platform, object, master, contract, and as `fact_parts` says records, lookup and fact_part; both
    none where it does not know the object.
#}
{% macro fact_inputs() %}
    {% set inputs = [] %}
    {% for id in model.depends_on.nodes %}
        {% set unpack = graph.nodes[id].config.meta.unpack if id in graph.nodes %}
        {% if unpack %}
            {% set parts = fact_parts(config.require('meta').fact, unpack.platform) or {} %}
            {% do inputs.append({
                'view': ref(graph.nodes[id].name),
                'tenant': unpack.tenant,
                'platform': unpack.platform,
                'object': unpack.object,
                'master': graph.nodes['model.' ~ project_name ~ '.' ~ unpack.master].relation_name,
                'contract': context[unpack.contract](),
                'records': parts.get('records', {}).get(unpack.object),
                'lookup': parts.get('lookups', {}).get(unpack.object),
                'fact_part': parts.get('fact_part'),
            }) %}
        {% endif %}
    {% endfor %}
    {{ return(inputs) }}
{% endmacro %}


{# The fact's own tables: which record is in which part, and what its lookups said. #}
{% macro record_index() %}
    {{ return(this.incorporate(path={'schema': 'refresh', 'identifier': this.identifier ~ '__records'}, type='table')) }}
{% endmacro %}

{% macro kept_lookups() %}
    {{ return(this.incorporate(path={'schema': 'refresh', 'identifier': this.identifier ~ '__lookups'}, type='table')) }}
{% endmacro %}


{# The tenant's rows of an input's master; literals, so that others' rows are pruned. #}
{% macro input_rows(input) -%}
    tenant_slug = '{{ input.tenant }}' and source_platform = '{{ input.platform }}'
{%- endmacro %}


{#
    Where the fact stands. `reason`: why it must be rebuilt in full, none where it need not be;
    `is_index_kept`: whether the record index goes on from where it was; `news`: the loads that the
    ledger gained since; and what is recorded of this refresh: number, definition, index, ledger.
#}
{% macro fact_state(inputs, existing, query) %}
    {% set last = last_refresh() %}
    {% set state = {
        'number': last.refresh_number + 1,
        'definition': definition_digest(inputs, query),
        'index': index_digest(inputs),
        'ledger': ledger_position(inputs),
        'news': [],
    } %}
    {% set is_asked_for = should_full_refresh() or var('full', false) %}
    {% set is_continued = last.refresh_number > 0 and ledger_rows_until(inputs, last.ledger_pushed_at) == last.ledger_rows %}
    {% set unknown = inputs | rejectattr('records') | rejectattr('lookup') | map(attribute='object') | list %}
    {% set is_kept = is_continued and not is_asked_for and last.index_digest == state.index and rows_of(record_index()) == last.index_rows
        and not (inputs | selectattr('lookup') | list and rows_of(kept_lookups()) < 0) %}
    {% if is_asked_for %}
        {% set reason = 'asked for' %}
    {% elif last.refresh_number == 0 or existing is none or not existing.is_table %}
        {% set reason = 'first build' %}
    {% elif last.definition_digest != state.definition %}
        {% set reason = 'definition changed' %}
    {% elif not is_kept or rows_of(this) != last.fact_rows %}
        {% set reason = 'not as it was left' %}
    {% elif unknown and state.ledger[0] != last.ledger_rows %}
        {% set reason = 'no parts known of ' ~ unknown | join(', ') %}
    {% else %}
        {% set reason = none %}
    {% endif %}
    {% if is_continued and state.ledger[0] != last.ledger_rows %}
        {% do state.update({'news': loads_since(inputs, last.ledger_pushed_at)}) %}
    {% endif %}
    {% do state.update({'reason': reason, 'is_index_kept': is_kept}) %}
    {{ return(state) }}
{% endmacro %}


{# The newest record of the fact; refresh_number is 0 where there is none. #}
{% macro last_refresh() %}
    {% set names = ['refresh_number', 'definition_digest', 'index_digest', 'ledger_rows', 'fact_rows', 'index_rows'] %}
    {% set rows = run_query(
        "select " ~ names | join(', ') ~ ", cast(ledger_pushed_at as varchar) as ledger_pushed_at from "
        ~ ref('platform_ops__fact_refreshes') ~ " where fact = '" ~ this.identifier
        ~ "' order by refresh_number desc limit 1"
    ).rows %}
    {{ return(rows[0] if rows else {'refresh_number': 0}) }}
{% endmacro %}


{# What the record index is made by. #}
{% macro index_digest(inputs) %}
    {% set texts = [] %}
    {% for input in inputs if input.records %}
        {% do texts.append(insert_indexed(input, input_rows(input))) %}
    {% endfor %}
    {{ return(local_md5(texts | join('\n'))) }}
{% endmacro %}


{# How many rows a table has; -1 where there is none. #}
{% macro rows_of(relation) %}
    {% if not adapter.get_relation(relation.database, relation.schema, relation.identifier) %}
        {{ return(-1) }}
    {% endif %}
    {{ return(run_query("select count(*) from " ~ relation).rows[0][0]) }}
{% endmacro %}


{# Everything that says what a row of the fact is: the query, the views below it, the columns. #}
{% macro definition_digest(inputs, query) %}
    {% set texts = [query, tojson(model.columns, sort_keys=true), view_texts(inputs | map(attribute='view') | list)] %}
    {{ return(local_md5(texts | join('\n'))) }}
{% endmacro %}


{# The ledger rows of the fact's inputs. #}
{% macro ledger_of(inputs) -%}
    from {{ ref('platform_ops__push_ledger') }}
    where
        tenant_slug = '{{ inputs[0].tenant }}'
        and (
    {%- for input in inputs %}
            {{ 'or ' if not loop.first }}(source_platform = '{{ input.platform }}' and object = '{{ input.object }}')
    {%- endfor %}
        )
{%- endmacro %}


{# How many rows, and when the last of them came. #}
{% macro ledger_position(inputs) %}
    {% if not inputs %}
        {{ return([0, none]) }}
    {% endif %}
    {{ return(run_query("select count(*), cast(max(pushed_at) as varchar) " ~ ledger_of(inputs)).rows[0]) }}
{% endmacro %}


{#
    Rows are dated by a clock, and a clock may go back: then more rows lie before the recorded moment
    than were counted, and the position is none.
#}
{% macro ledger_rows_until(inputs, moment) %}
    {% if not inputs %}
        {{ return(0) }}
    {% endif %}
    {% set until = " and pushed_at <= timestamp '" ~ moment ~ "'" if moment else ' and false' %}
    {{ return(run_query("select count(*) " ~ ledger_of(inputs) ~ until).rows[0][0]) }}
{% endmacro %}


{# [{platform, object, load_ids}] of the loads after a moment. #}
{% macro loads_since(inputs, moment) %}
    {% set since = " and pushed_at > timestamp '" ~ moment ~ "'" if moment else '' %}
    {% set news = [] %}
    {% for row in run_query(
        "select source_platform, object, string_agg(distinct load_id, ' ') " ~ ledger_of(inputs) ~ since ~ " group by all"
    ).rows %}
        {% do news.append({'platform': row[0], 'object': row[1], 'load_ids': row[2].split(' ')}) %}
    {% endfor %}
    {{ return(news) }}
{% endmacro %}


{% macro record_refresh(state, reason) %}
    {% set insert %}
        insert into {{ ref('platform_ops__fact_refreshes') }} ({{ fact_refreshes_columns() | map(attribute='name') | join(', ') }})
        select
            '{{ model.config.meta.tenant }}',
            '{{ this.identifier }}',
            {{ state.number }},
            {{ sql_literal(reason) if reason else 'null' }},
            '{{ state.definition }}',
            '{{ state.index }}',
            {{ state.ledger[0] }},
            {{ "timestamp '" ~ state.ledger[1] ~ "'" if state.ledger[1] else 'null' }},
            {{ 'null' if reason else '(select count(*) from martlet_parts where is_rebuilt)' }},
            (select count(*) from {{ this }}),
            (select count(*) from {{ record_index() }}),
            cast(current_timestamp at time zone 'UTC' as timestamp)
    {% endset %}
    {% do run_query(insert) %}
{% endmacro %}
