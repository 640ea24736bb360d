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
    {reason, definition, ledger, number, news}: why the fact must be rebuilt in full (none: it need
    not), its definition's digest, the ledger's position, this refresh's number, and the load ids
    that the ledger gained since the last one, by input.
#}
{% macro fact_state(inputs, existing, query) %}
    {% set definition = definition_digest(inputs, query) %}
    {% set ledger = ledger_position(inputs) %}
    {% set rows = run_query(
        "select refresh_number, definition_digest, ledger_rows, cast(ledger_pushed_at as varchar), fact_rows, index_rows "
        ~ "from " ~ ref('platform_ops__fact_refreshes') ~ " where fact = '" ~ this.identifier
        ~ "' order by refresh_number desc limit 1"
    ).rows %}
    {% set state = {'definition': definition, 'ledger': ledger, 'number': (rows[0][0] if rows else 0) + 1, 'reason': none, 'news': []} %}
    {% set unknown = inputs | rejectattr('records') | rejectattr('lookup') | map(attribute='object') | list %}
    {% if should_full_refresh() or var('full', false) %}
        {% do state.update({'reason': 'asked for'}) %}
    {% elif not rows or existing is none or not existing.is_table %}
        {% do state.update({'reason': 'first build'}) %}
    {% elif not inputs %}
        {% do state.update({'reason': 'no source' if rows[0][1] != definition else none}) %}
    {% elif unknown %}
        {% do state.update({'reason': 'no parts known of ' ~ unknown | join(', ')}) %}
    {% elif rows[0][1] != definition %}
        {% do state.update({'reason': 'definition changed'}) %}
    {% elif rows_of(this) != rows[0][4] or rows_of(record_index()) != rows[0][5] %}
        {% do state.update({'reason': 'not as it was left'}) %}
    {% elif ledger_rows_until(inputs, rows[0][3]) != rows[0][2] %}
        {% do state.update({'reason': 'ledger is not a continuation'}) %}
    {% elif ledger[0] != rows[0][2] %}
        {% do state.update({'news': loads_since(inputs, rows[0][3])}) %}
    {% endif %}
    {{ return(state) }}
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
            {{ state.ledger[0] }},
            {{ "timestamp '" ~ state.ledger[1] ~ "'" if state.ledger[1] else 'null' }},
            {{ 'null' if reason else '(select count(*) from martlet_parts where is_rebuilt)' }},
            (select count(*) from {{ this }}),
            (select count(*) from {{ record_index() }}),
            cast(current_timestamp at time zone 'UTC' as timestamp)
    {% endset %}
    {% do run_query(insert) %}
{% endmacro %}
