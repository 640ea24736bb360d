{#
    On a lake each change of a view is a commit that every machine meets, and dbt makes every view anew
    in every run, in two commits. There a view whose text is what it was stays as it is: the text's
    digest is the view's comment, which is gone when anybody replaces the view. A lake binds a view when
    it is read, so what it selects from may have changed since.
#}
{% materialization view, adapter='duckdb' %}
    {% if not adapter.is_ducklake(this) %}
        {{ return(dbt.materialization_view_default()) }}
    {% endif %}
    {% set existing = load_cached_relation(this) %}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% do make_view(existing, this.incorporate(type='view'), sql) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{% macro make_view(existing, relation, sql) %}
    {% set digest = 'text ' ~ local_md5(sql) %}
    {% if existing is not none and comment_of_view(relation) == digest %}
        {% call statement('main') %}select 1{% endcall %}
        {{ return('') }}
    {% endif %}
    {% if existing is not none and not existing.is_view %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') %}
        create or replace view {{ relation }} as (
            {{ sql }}
        )
    {% endcall %}
    {% do run_query("comment on view " ~ relation ~ " is " ~ sql_literal(digest)) %}
{% endmacro %}


{# Empty where it has none, and where there is no such view. #}
{% macro comment_of_view(relation) %}
    {% set query %}
        select comment
        from duckdb_views()
        where database_name = {{ sql_literal(relation.database) }}
            and schema_name = {{ sql_literal(relation.schema) }}
            and view_name = {{ sql_literal(relation.identifier) }}
    {% endset %}
    {% set rows = run_query(query).rows %}
    {{ return((rows[0][0] or '') if rows else '') }}
{% endmacro %}
