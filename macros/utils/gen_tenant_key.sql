{#
    The surrogate key of a record: MD5 of the JSON list of `columns` (SQL expressions), which the
    pusher gives as tenant, platform, connection, object and the record's own key.
#}
{% macro gen_tenant_key(columns) -%}
    md5({{ json_text_list(columns) }})
{%- endmacro %}
