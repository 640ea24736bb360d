{#
    One typed field of a record, for a user's own models:
    {{ '{{' }} extract_json('$.customer.id', 'varchar') {{ '}}' }}. `type` is a column type of the contracts
    (varchar, bigint, decimal, timestamp, epoch_ms, ...). Where many fields of one record are read,
    the intermediate views are faster: they parse each payload once.
#}
{% macro extract_json(field, type='varchar', source_column='raw_data_payload') -%}
    {%- set path = field if field.startswith('$') else '$.' ~ field -%}
    {{ cast_landed(json_text(source_column, path | replace("'", "''")), type) }}
{%- endmacro %}
