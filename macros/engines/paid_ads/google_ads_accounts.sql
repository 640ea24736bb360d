{# One row per account: some loaders repeat it for every day. #}
{% macro newest_google_accounts(customers) -%}
select connection, customer_id as account_id, currency, time_zone
from {{ customers }}
where not is_deleted
qualify row_number() over (
    partition by connection, customer_id
    order by extracted_at desc, report_date desc nulls first, tenant_skey
) = 1
{%- endmacro %}


{# The account of a row that may not state it: its resource name does, customers/{id}/campaigns/{id}. #}
{% macro google_account(resource_name, tenant) -%}
coalesce(account_id, nullif(split_part({{ resource_name }}, '/', 2), ''), {{ connection_account(tenant, 'google_ads') }})
{%- endmacro %}
