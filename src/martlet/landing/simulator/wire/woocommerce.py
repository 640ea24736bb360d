"""WooCommerce's records: the site's wall clock beside UTC, money as texts, refunds below zero."""


def _gmt(column: str) -> str:
    return f"strftime({column}, '%Y-%m-%dT%H:%M:%S')"


def _site(column: str) -> str:
    return _gmt(f"(({column} at time zone 'UTC') at time zone c.timezone)")


def _money(expression: str) -> str:
    return f"cast(cast({expression} as decimal(18, 2)) as varchar)"


# A partial refund leaves the status as it was, and a deleted order is in the bin.
_STATUS = """
    case
        when o.is_deleted then 'trash'
        when o.status = 'pending' then case o.order_number % 2 when 0 then 'pending' else 'on-hold' end
        when o.status = 'paid' then case o.order_number % 2 when 0 then 'processing' else 'completed' end
        when o.status = 'partially_refunded' then 'completed'
        else o.status
    end"""

# The order's discount lies in its lines: `subtotal` before it, `total` after it. Rounded from one
# running sum to the next, so that no cent is lost.
_LINES = f"""
    with shares as (
        select
            i.*,
            o.discount / o.subtotal as rate,
            sum(i.line_total) over (partition by i.order_id order by i.line_id) as so_far,
        from order_line as i
        inner join orders as o on o.order_id = i.order_id
    ),
    discounted as (
        select
            *,
            line_total - cast(round(so_far * rate, 2) - round((so_far - line_total) * rate, 2)
                as decimal(18, 2)) as line_paid,
        from shares
    ),
    lines as (
        select
            order_id,
            to_json(list({{
                'id': cast(line_id as bigint),
                'name': title,
                'product_id': cast(product_id as bigint),
                'variation_id': 0,
                'quantity': quantity,
                'tax_class': '',
                'subtotal': {_money("line_total")},
                'subtotal_tax': '0.00',
                'total': {_money("line_paid")},
                'total_tax': '0.00',
                'sku': sku,
                'price': cast(line_paid / quantity as double)
            }} order by line_id)) as line_items,
        from discounted
        group by order_id
    )"""

# Values of `meta_data` are of any kind; direct visits have no source, referrals an own type.
_META = """
    to_json(list_filter([
        {'id': 1, 'key': '_wc_order_attribution_source_type', 'value':
            to_json(case when o.utm_source is null then 'typein' else 'utm' end)},
        {'id': 2, 'key': '_wc_order_attribution_utm_source', 'value': to_json(o.utm_source)},
        {'id': 3, 'key': '_wc_order_attribution_utm_medium', 'value': to_json(o.utm_medium)},
        {'id': 4, 'key': '_wc_order_attribution_utm_campaign', 'value': to_json(o.utm_campaign)},
        {'id': 5, 'key': '_wcpay_mode',
            'value': to_json(case when o.is_test then 'test' else 'prod' end)},
        {'id': 6, 'key': '_extra_fields', 'value': to_json({'gift': [o.order_number]})}
    ], lambda e: e.value is not null))"""

# Of what was given back, a part came first: `refunds` lists both, below zero.
_REFUNDS = f"""
    to_json(list_filter([
        {{'id': cast(o.order_id as bigint) + 1, 'reason': '',
            'total': {_money("-floor(o.refunded * 40) / 100")}}},
        {{'id': cast(o.order_id as bigint) + 2, 'reason': 'damaged',
            'total': {_money("floor(o.refunded * 40) / 100 - o.refunded")}}}
    ], lambda e: e.total <> '0.00'))"""

OBJECTS: dict[str, str] = {
    "orders": f"""
        {_LINES}
        select
            cast(o.order_id as bigint) as id,
            0 as parent_id,
            'W-' || o.order_number as number,
            'wc_order_' || left(md5(o.order_id), 13) as order_key,
            'checkout' as created_via,
            '9.4.2' as version,
            {_STATUS} as status,
            o.currency,
            {_site("o.ordered_at")} as date_created,
            {_gmt("o.ordered_at")} as date_created_gmt,
            {_site("o.updated_at")} as date_modified,
            {_gmt("o.updated_at")} as date_modified_gmt,
            case when o.status <> 'pending' and not o.is_cancelled then {_site("o.ordered_at")} end
                as date_paid,
            case when o.status <> 'pending' and not o.is_cancelled then {_gmt("o.ordered_at")} end
                as date_paid_gmt,
            {_money("o.discount")} as discount_total,
            '0.00' as discount_tax,
            {_money("o.shipping")} as shipping_total,
            '0.00' as shipping_tax,
            {_money("o.tax")} as cart_tax,
            {_money("o.total")} as total,
            {_money("o.tax")} as total_tax,
            false as prices_include_tax,
            coalesce(cast(o.customer_id as bigint), 0) as customer_id,
            to_json({{
                'first_name': o.first_name, 'last_name': o.last_name, 'company': '',
                'country': 'US', 'email': coalesce(o.customer_email, ''), 'phone': ''
            }}) as billing,
            'woocommerce_payments' as payment_method,
            '' as transaction_id,
            {_META} as meta_data,
            l.line_items,
            to_json([{{
                'id': cast(o.order_id as bigint) + 3, 'method_title': 'Flat rate',
                'method_id': 'flat_rate', 'total': {_money("o.shipping")}, 'total_tax': '0.00'
            }}]) as shipping_lines,
            cast('[]' as json) as fee_lines,
            {_REFUNDS} as refunds,
        from orders as o
        cross join context as c
        left join lines as l on l.order_id = o.order_id
    """,
    "products": f"""
        select
            cast(product_id as bigint) as id,
            title as name,
            lower(sku) as slug,
            case status when 'active' then 'publish' else 'private' end as status,
            'simple' as type,
            sku,
            {_money("price")} as price,
            {_money("price")} as regular_price,
            '' as sale_price,
            false as on_sale,
            'instock' as stock_status,
            0 as parent_id,
            {_site("created_at")} as date_created,
            {_gmt("created_at")} as date_created_gmt,
            {_site("updated_at")} as date_modified,
            {_gmt("updated_at")} as date_modified_gmt,
            cast('[]' as json) as variations,
        from product
        cross join context as c
    """,
}
