"""Shopify's REST records: money as texts, times with the shop's offset, refunds nested."""

# The offset that the shop's zone has at that moment, daylight saving included: "-07:00".
_OFFSET = """
    format('{{}}{{:02d}}:{{:02d}}',
        case when {wall} < {moment} then '-' else '+' end,
        abs(date_diff('minute', {moment}, {wall})) // 60,
        abs(date_diff('minute', {moment}, {wall})) % 60)"""


def _moment(column: str) -> str:
    wall = f"(({column} at time zone 'UTC') at time zone c.timezone)"
    offset = _OFFSET.format(wall=wall, moment=column)
    return f"strftime({wall}, '%Y-%m-%dT%H:%M:%S') || {offset}"


def _money(expression: str) -> str:
    return f"cast(cast({expression} as decimal(18, 2)) as varchar)"


OBJECTS: dict[str, str] = {
    "orders": f"""
        with lines as (
            select
                order_id,
                to_json(list({{
                    'id': cast(line_id as bigint),
                    'product_id': cast(product_id as bigint),
                    'sku': sku,
                    'title': title,
                    'quantity': quantity,
                    'price': {_money("unit_price")}
                }} order by line_id)) as line_items,
            from order_line
            group by order_id
        )
        select
            cast(o.order_id as bigint) as id,
            o.order_number,
            '#' || o.order_number as name,
            {_moment("o.ordered_at")} as created_at,
            {_moment("o.ordered_at")} as processed_at,
            {_moment("o.updated_at")} as updated_at,
            {_moment("o.cancelled_at")} as cancelled_at,
            case when o.is_deleted then {_moment("o.updated_at")} end as deleted_at,
            case o.status when 'cancelled' then 'voided' else o.status end as financial_status,
            o.is_test as test,
            o.currency,
            {_money("o.total")} as total_price,
            {_money("o.total - o.refunded")} as current_total_price,
            {_money("o.subtotal - o.discount")} as subtotal_price,
            {_money("o.subtotal")} as total_line_items_price,
            {_money("o.discount")} as total_discounts,
            {_money("o.tax")} as total_tax,
            to_json({{'shop_money': {{'amount': {_money("o.shipping")}, 'currency_code': o.currency}}}})
                as total_shipping_price_set,
            o.customer_email as email,
            case when o.customer_id is not null then to_json({{
                'id': cast(o.customer_id as bigint), 'email': o.customer_email,
                'first_name': o.first_name, 'last_name': o.last_name
            }}) end as customer,
            l.line_items,
            -- a void is no refund, though it stands among the transactions
            to_json(case when o.refunded > 0 then [{{
                'id': cast(o.order_id as bigint) + 1,
                'created_at': {_moment("o.refunded_at")},
                'transactions': [
                    {{'kind': 'refund', 'status': 'success', 'amount': {_money("o.refunded")}}},
                    {{'kind': 'void', 'status': 'success', 'amount': '1.00'}}
                ]
            }}] else [] end) as refunds,
            o.landing_path as landing_site,
        from orders as o
        cross join context as c
        left join lines as l on l.order_id = o.order_id
    """,
    "products": f"""
        select
            cast(product_id as bigint) as id,
            title,
            status,
            {_moment("created_at")} as created_at,
            {_moment("updated_at")} as updated_at,
            to_json([{{
                'id': cast(product_id as bigint) * 10, 'sku': sku, 'price': {_money("price")}
            }}]) as variants,
        from product
        cross join context as c
    """,
}
