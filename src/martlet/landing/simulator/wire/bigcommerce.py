"""BigCommerce's records: RFC 2822 moments, money with four decimals, totals with and without tax."""


def _moment(column: str) -> str:
    return f"strftime({column}, '%a, %d %b %Y %H:%M:%S +0000')"


def _iso(column: str) -> str:
    return f"strftime({column}, '%Y-%m-%dT%H:%M:%S+00:00')"


def _money(expression: str) -> str:
    return f"cast(cast({expression} as decimal(18, 4)) as varchar)"


# Paid orders are told apart by how far they are sent; a few shops rename what they see.
_STATUS_ID = """
    case o.status
        when 'pending' then case o.order_number % 2 when 0 then 1 else 7 end
        when 'paid' then case o.order_number % 3 when 0 then 11 when 1 then 2 else 10 end
        when 'partially_refunded' then 14
        when 'refunded' then 4
        else 5
    end"""
_STATUS = """
    case s.status_id
        when 1 then 'Pending' when 2 then 'Shipped' when 4 then 'Refunded' when 5 then 'Cancelled'
        when 7 then 'Zahlung offen' when 10 then 'Completed' when 11 then 'Awaiting Fulfillment'
        else 'Partially Refunded'
    end"""

# What an engine must not read differs from what it must: the currency shown in the shop and its
# rate, totals without tax, subtotals with tax, a payment status that says nothing. A discount is
# a coupon's in one order and half of it in the next.
OBJECTS: dict[str, str] = {
    "orders": f"""
        with lines as (
            select
                order_id,
                to_json(list({{
                    'id': cast(line_id as bigint),
                    'order_id': cast(order_id as bigint),
                    'product_id': cast(product_id as bigint),
                    'name': title,
                    'sku': sku,
                    'quantity': quantity,
                    'price_ex_tax': {_money("unit_price")},
                    'total_ex_tax': {_money("line_total")}
                }} order by line_id)) as products,
            from order_line
            group by order_id
        ),
        states as (
            select
                order_id,
                {_STATUS_ID} as status_id,
                case order_number % 2
                    when 0 then discount
                    else floor(discount * 50) / 100
                end as coupon,
            from orders as o
        )
        select
            cast(o.order_id as bigint) as id,
            {_moment("o.ordered_at")} as date_created,
            {_moment("o.updated_at")} as date_modified,
            case when s.status_id in (2, 10) then {_moment("o.updated_at")} else '' end
                as date_shipped,
            s.status_id,
            {_STATUS} as status,
            {_STATUS} as custom_status,
            case when s.status_id in (2, 10) then 'captured' else '' end as payment_status,
            o.is_deleted,
            o.currency as default_currency_code,
            'JPY' as currency_code,
            '151.7300000000' as currency_exchange_rate,
            {_money("o.total")} as total_inc_tax,
            {_money("o.total - o.tax")} as total_ex_tax,
            {_money("o.tax")} as total_tax,
            {_money("o.subtotal + o.tax")} as subtotal_inc_tax,
            {_money("o.subtotal")} as subtotal_ex_tax,
            {_money("o.tax")} as subtotal_tax,
            {_money("s.coupon")} as coupon_discount,
            {_money("o.discount - s.coupon")} as discount_amount,
            {_money("o.shipping")} as shipping_cost_inc_tax,
            {_money("o.shipping")} as shipping_cost_ex_tax,
            '0.0000' as shipping_cost_tax,
            {_money("o.shipping + 1")} as base_shipping_cost,
            '0.0000' as handling_cost_inc_tax,
            '0.0000' as wrapping_cost_inc_tax,
            {_money("o.refunded")} as refunded_amount,
            case when o.order_number % 5 = 0 then {_money("o.total")} else '0.0000' end
                as store_credit_amount,
            '0.0000' as gift_certificate_amount,
            coalesce(cast(o.customer_id as bigint), 0) as customer_id,
            to_json({{
                'first_name': o.first_name, 'last_name': o.last_name, 'country': 'United States',
                'country_iso2': 'US', 'email': coalesce(o.customer_email, '')
            }}) as billing_address,
            (select sum(quantity) from order_line as q where q.order_id = o.order_id)
                as items_total,
            l.products,
            case when o.is_test then 'Test Payment Gateway' else 'Credit Card' end
                as payment_method,
            'www' as order_source,
            'USD' as store_default_currency_code,
        from orders as o
        inner join states as s on s.order_id = o.order_id
        left join lines as l on l.order_id = o.order_id
    """,
    "products": f"""
        select
            cast(product_id as bigint) as id,
            title as name,
            'physical' as type,
            sku,
            cast(price as double) as price,
            cast(price as double) as calculated_price,
            cast(0 as double) as sale_price,
            case status when 'active' then 'available' else 'disabled' end as availability,
            status = 'active' as is_visible,
            {_iso("created_at")} as date_created,
            {_iso("updated_at")} as date_modified,
            to_json({{'url': '/' || lower(sku) || '/', 'is_customized': false}}) as custom_url,
        from product
    """,
}
