{#
    Post-hook of a staging model: pushes every load that the ledger does not know, in the order the
    loads were landed, and writes the ledger. It runs in the model's own transaction, so that the
    new versions and their ledger rows are there together or not at all.
#}
{% macro sync_to_master_hub(contract) %}
    {% if execute %}
        {% set push = dict(model.config.meta.push, contract=contract) %}
        {% for landing in push.landings %}
            {# Read once: nobody else writes while the run holds the landing file. #}
            {% set relation = source(landing.source, landing.table) %}
            {% set shape = landed_shape(relation) %}
            {% if shape is not none %}
                {% for load in new_loads(push, landing, relation, shape) %}
                    {% do push_load(push, landing, load) %}
                {% endfor %}
                {% do sync_to_schema_history(push, landing, shape) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}


{#
    The loads of a landed table that are not in the ledger yet, oldest first. Found from the
    loader's own records, without reading the table: Martlet's loads, else dlt's, else (a loader
    without load ids) one load that stands for the table as it is now.
#}
{% macro new_loads(push, landing, relation, shape) %}
    {% do check_route(push, landing, relation, shape) %}
    {% if '_dlt_load_id' not in shape.bookkeeping | map('lower') %}
        {{ return([whole_table_load()]) }}
    {% endif %}
    {% set loads_table = api.Relation.create(database=relation.database, schema=relation.schema, identifier='_martlet_loads') %}
    {% set dlt_loads = api.Relation.create(database=relation.database, schema=relation.schema, identifier='_dlt_loads') %}
    {% if is_landed(loads_table) %}
        {% set provenance %}
            select
                _dlt_load_id as load_id,
                mode as load_mode,
                is_complete,
                scope_accounts,
                scope_start,
                scope_end,
                rows_quarantined,
                rows_received - rows_accepted - rows_quarantined as rows_erased,
                extracted_at,
                max(extracted_at) over () as newest_extracted_at,
            from {{ loads_table }}
            where table_name = '{{ landing.table }}'
        {% endset %}
    {% else %}
        {% set provenance %}
            select distinct
                _dlt_load_id as load_id,
                'upsert' as load_mode,
                false as is_complete,
                null as scope_accounts,
                null as scope_start,
                null as scope_end,
                0 as rows_quarantined,
                0 as rows_erased,
                null as extracted_at,
                null as newest_extracted_at,
            from {{ relation }}
        {% endset %}
    {% endif %}
    {% set known_loads %}
        select load_id, sum(rows_landed) as rows_landed
        from {{ ref('platform_ops__push_ledger') }}
        where
            tenant_slug = '{{ push.tenant }}'
            and source_platform = '{{ push.platform }}'
            and connection = '{{ landing.connection }}'
            and object = '{{ push.object }}'
            and landed_table = '{{ landing.table }}'
        group by load_id
    {% endset %}
    {% if landing.accounts is defined %}
        {# A tenant may have claimed an account since: a load is new while rows of it are missing. #}
        {% set landed %}
            select _dlt_load_id as load_id, count(*) as rows_now
            from {{ relation }}
            where {{ account_expression(landing.account_column, shape) }} in ({{ sql_literals(landing.accounts) }})
            group by 1
        {% endset %}
        {% set query %}
            select p.*, n.rows_now - coalesce(k.rows_landed, 0) as rows_missing
            from ({{ provenance }}) as p
            inner join ({{ landed }}) as n using (load_id)
            inner join {{ dlt_loads }} as d on d.load_id = p.load_id and d.status = 0
            left join ({{ known_loads }}) as k on k.load_id = p.load_id
            where n.rows_now > coalesce(k.rows_landed, 0)
            order by p.load_id
        {% endset %}
    {% else %}
        {% set query %}
            select p.*, null as rows_missing
            from ({{ provenance }}) as p
            inner join {{ dlt_loads }} as d on d.load_id = p.load_id and d.status = 0
            where p.load_id not in (select load_id from ({{ known_loads }}))
            order by p.load_id
        {% endset %}
    {% endif %}
    {% set loads = [] %}
    {% for row in run_query(query).rows %}
        {% do loads.append({
            'load_id': row[0], 'rows_of': "load_id = '" ~ row[0] ~ "'", 'mode': row[1], 'is_complete': row[2],
            'scope_accounts': fromjson(row[3]) if row[3] else [], 'scope_start': row[4], 'scope_end': row[5],
            'rows_refused': 0 if landing.accounts is defined else row[6],
            'rows_erased': 0 if landing.accounts is defined else row[7], 'extracted_at': row[8],
            'may_be_late': row[8] and row[8] < row[9], 'rows_missing': row[10],
        }) %}
    {% endfor %}
    {{ return(loads) }}
{% endmacro %}


{% macro whole_table_load() %}
    {% set load_id = run_query("select printf('%.6f', epoch_us(current_timestamp) / 1000000)").rows[0][0] %}
    {{ return({
        'load_id': load_id, 'rows_of': 'load_id is null', 'mode': 'upsert', 'is_complete': false,
        'scope_accounts': [], 'scope_start': none, 'scope_end': none, 'rows_refused': 0, 'rows_erased': 0,
        'extracted_at': none,
        'may_be_late': false, 'rows_missing': none,
    }) }}
{% endmacro %}


{#
    The route was decided in Python and written into this model as a literal. What is pushed is what
    is there: the physical table must still have that fingerprint, or one that the registry knows
    for the same object.
#}
{% macro check_route(push, landing, relation, shape) %}
    {% if shape.source_schema_hash != landing.source_schema_hash %}
        {% set known = run_query(
            "select count(*) from " ~ source('platform', 'connector_blueprints')
            ~ " where source_platform = '" ~ push.platform ~ "' and object = '" ~ push.object
            ~ "' and source_schema_hash = '" ~ shape.source_schema_hash ~ "'"
        ).rows[0][0] %}
        {% if not known %}
            {{ exceptions.raise_compiler_error(
                relation ~ " has fingerprint " ~ shape.source_schema_hash ~ ", which no blueprint of "
                ~ push.platform ~ " " ~ push.object ~ " has (published: " ~ landing.source_schema_hash
                ~ "). Nothing was pushed. Remedy: run `martlet run`, which routes or quarantines the "
                ~ "table and says which columns differ."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
