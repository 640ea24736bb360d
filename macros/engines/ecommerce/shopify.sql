{#
    Shopify's orders. Money is text in the shop's currency; `total_price` is what was asked for when
    ordering, so edits and refunds do not change it. Refunded is what successful refund transactions
    paid back. Guests have no customer. Deleted orders leave; test and cancelled ones stay, marked, and
    so do those whose payment was voided: they were never paid.
    Source: Shopify REST Admin API, Order and Refund.
#}
{% macro engine_shopify(tenant, sources) %}
with
orders as (
    select * from {{ ref('int_' ~ tenant ~ '__shopify_orders') }}
),
connections as (
    {{ connection_rows(tenant, 'shopify') | indent(4) }}
),
canonical as (
    select
        o.tenant_slug,
        o.source_platform,
        o.connection,
        o.order_id,
        {{ business_date('o.created_at', tenant) }} as order_date,
        {{ business_date('o.created_at', tenant) }} as business_date,
        o.created_at as ordered_at,
        o.total_price,
        coalesce(o.total_line_items_price, o.subtotal_price + coalesce(o.total_discounts, 0)) as subtotal,
        o.total_discounts as discount,
        o.total_tax as tax,
        coalesce(o.total_shipping_price, {{ json_objects_sum('o.shipping_lines', '$[*]', 'price') }}) as shipping,
        {# Refunded by its status, but without the list that says how much: unknown, not zero. #}
        case
            when o.refunds is not null or o.financial_status not in ('refunded', 'partially_refunded')
                then {{ json_objects_sum('o.refunds', '$[*].transactions[*]', 'amount', {'kind': 'refund', 'status': 'success'}) }}
        end as refunded,
        coalesce(o.currency, c.currency) as currency,
        case
            when o.cancelled_at is not null then 'cancelled'
            when o.financial_status = 'voided' then 'cancelled'
            else o.financial_status
        end as financial_status,
        nullif(o.customer_email, '') as customer_email,
        o.customer_id,
        o.line_items as line_items_json,
        coalesce(o.is_test, false) as is_test,
        o.cancelled_at is not null or coalesce(o.financial_status = 'voided', false) as is_cancelled,
    from orders as o
    left join connections as c on c.connection = o.connection
    where not o.is_deleted and o.deleted_at is null
)
{{ select_canonical('canonical', 'orders', canonical_columns('orders') | map(attribute='name') | list) }}
{% endmacro %}
