{#
    BigCommerce's orders. `status_id` decides, because shops rename the texts. The currency is the one
    paid, not the one shown. `total_price` includes tax; its parts are without: subtotal - discount +
    tax + shipping (handling and gift wrapping, where charged, are in the total alone). The discount is
    coupons and others together; credit and gift certificates are means of payment. Deleted orders
    leave; abandoned checkouts (0), cancelled (5) and declined (6) ones stay, marked as cancelled: no
    revenue. There is no flag for tests, only the payment method that makes none.
    Source: BigCommerce REST API v2, Orders and Order Statuses.
#}
{% macro engine_bigcommerce(tenant, sources) %}
with
orders as (
    select * from {{ ref('int_' ~ tenant ~ '__bigcommerce_orders') }}
),
connections as (
    {{ connection_rows(tenant, 'bigcommerce') | indent(4) }}
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
        o.subtotal_ex_tax as subtotal,
        coalesce(o.discount_amount, 0) + coalesce(o.coupon_discount, 0) as discount,
        {# Airbyte does not deliver the tax. #}
        coalesce(o.total_tax, o.total_price - o.total_ex_tax) as tax,
        o.shipping_cost_ex_tax as shipping,
        coalesce(o.refunded_amount, 0) as refunded,
        coalesce(nullif(o.currency, ''), c.currency) as currency,
        case
            when o.order_status_id = '5' then 'cancelled'
            when o.order_status_id = '0' then 'incomplete'
            when o.order_status_id = '6' then 'declined'
            when o.order_status_id = '4' or o.refunded_amount >= nullif(o.total_price, 0) then 'refunded'
            when o.order_status_id = '14' or o.refunded_amount > 0 then 'partially_refunded'
            when o.order_status_id in ('1', '7') then 'pending'
            when o.order_status_id in ('2', '3', '8', '9', '10', '11') then 'paid'
            else lower(o.order_status)
        end as financial_status,
        nullif(o.customer_email, '') as customer_email,
        nullif(nullif(o.customer_id, '0'), '') as customer_id,
        {# Orders that were not followed to their lines hold the link to them. #}
        case when {{ json_text('o.line_items', '$.url') }} is null then o.line_items end as line_items_json,
        coalesce(o.payment_method = 'Test Payment Gateway', false) as is_test,
        coalesce(o.order_status_id in ('0', '5', '6'), false) as is_cancelled,
    from orders as o
    left join connections as c on c.connection = o.connection
    where not coalesce(o.is_deleted, false)
)
{{ select_canonical('canonical', 'orders', canonical_columns('orders') | map(attribute='name') | list) }}
{% endmacro %}
