{#
    WooCommerce's orders. Moments are the UTC ones (`_gmt`). `total_price` is not reduced by refunds,
    whose totals are below zero. There is no subtotal: it is the sum of the lines before discount, all
    without tax; an order without lines is calculated back from its total. A partial refund leaves the
    status as it was. Orders in the bin leave; cancelled, failed and unfinished ones stay, marked: no
    revenue. There is no flag for tests, only the mode that WooPayments notes.
    Source: WooCommerce REST API v3, Orders.
#}
{% macro engine_woocommerce(tenant, sources) %}
with
orders as (
    select
        *,
        - {{ json_objects_sum('refunds', '$[*]', 'total') }} as refunded,
        case
            when {{ json_text('line_items', '$[0]') }} is not null then {{ json_objects_sum('line_items', '$[*]', 'subtotal') }}
            else total_price - coalesce(total_tax, 0) - coalesce(shipping_total, 0) + coalesce(discount_total, 0)
        end as subtotal,
        {{ json_object_text('meta_data', '$[*]', 'value', {'key': '_wcpay_mode'}) }} as payment_mode,
    from {{ ref('int_' ~ tenant ~ '__woocommerce_orders') }}
),
connections as (
    {{ connection_rows(tenant, 'woocommerce') | indent(4) }}
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
        o.subtotal,
        o.discount_total as discount,
        o.total_tax as tax,
        o.shipping_total as shipping,
        o.refunded,
        coalesce(nullif(o.currency, ''), c.currency) as currency,
        case
            when o.order_status in ('cancelled', 'failed', 'checkout-draft') then o.order_status
            when o.order_status = 'refunded' or o.refunded >= nullif(o.total_price, 0) then 'refunded'
            when o.refunded > 0 then 'partially_refunded'
            when o.order_status in ('pending', 'on-hold') then 'pending'
            when o.order_status in ('processing', 'completed') then 'paid'
            else o.order_status
        end as financial_status,
        nullif(o.customer_email, '') as customer_email,
        nullif(nullif(o.customer_id, '0'), '') as customer_id,
        o.line_items as line_items_json,
        coalesce(o.payment_mode = 'test', false) as is_test,
        coalesce(o.order_status in ('cancelled', 'failed', 'checkout-draft'), false) as is_cancelled,
    from orders as o
    left join connections as c on c.connection = o.connection
    where not o.is_deleted and o.order_status is distinct from 'trash'
)
{{ select_canonical('canonical', 'orders', canonical_columns('orders') | map(attribute='name') | list) }}
{% endmacro %}
