{# The rows of a tenant's table that are not, or not surely, the tenant's. #}
{% test only_rows_of_tenant(model, tenant) %}
select source_platform, connection, tenant_slug
from {{ model }}
where coalesce(tenant_slug != '{{ tenant }}', true)
{% endtest %}
