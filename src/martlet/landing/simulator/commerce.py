"""Shops: products, the orders of each day, and what became of them by the day of asking."""

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from martlet.config.tenant import Generation, Tenant
from martlet.landing.simulator.channels import ChannelMix
from martlet.landing.simulator.random_streams import scrambled, stable_number, stream
from martlet.landing.simulator.spans import (
    DAY,
    NEVER,
    Flags,
    Floats,
    Ints,
    Scene,
    cumulative,
    day_number,
    labels,
    midnight,
    numbers,
    pick,
)
from martlet.landing.simulator.vocabulary import (
    FIRST_NAMES,
    LANDING_PATHS,
    LAST_NAMES,
    PRODUCT_COLOURS,
    PRODUCT_KINDS,
)

NO_SHOP = "_none"
LOOK_BACK = 30  # days before the window whose orders may still change inside it
STATUSES = ("pending", "paid", "partially_refunded", "refunded", "cancelled")
WEEKDAY_ORDERS = (0.95, 0.92, 0.95, 1.0, 1.08, 1.08, 1.02)
LINES_MEAN = 1.55
QUANTITY_MEAN = 1.32
FIRST_NUMBER = 1001
FIRST_DAY = day_number(date(2020, 1, 1))
ID_OF_NUMBER = {"shopify": (5_000_000_000_000, 32_771)}


@dataclass(frozen=True)
class Shop:
    """One shop of a tenant, or (platform `_none`) the sales that no shop source delivers."""

    platform: str
    connection: str
    currency: str
    generation: Generation

    @property
    def capacity(self) -> int:
        """Order numbers reserved for a day, so that a day's numbers depend on no other day."""
        return 2 * self.generation.orders_per_day + 50


def scaled(generation: Generation, scale: float) -> Generation:
    """Return the parameters with `scale` times the orders and sessions."""
    return generation.model_copy(
        update={
            "orders_per_day": round(generation.orders_per_day * scale),
            "sessions_per_day": round(generation.sessions_per_day * scale),
        }
    )


@dataclass(frozen=True)
class Products:
    """The shop's products: ids, price in cents, and how often each is bought."""

    ids: Ints
    price: Ints
    shares: Floats
    titles: list[str]
    skus: list[str]


def build_products(scene: Scene, shop: Shop) -> Products:
    """Return the products, priced so that an average order is worth what was configured."""
    count = shop.generation.products
    tenant, seed = scene.tenant.slug, scene.seed + shop.generation.seed_offset
    random = stream(seed, tenant, "products", shop.platform, shop.connection, "all")
    price = random.lognormal(0.0, 0.6, count)
    shares = cumulative(random.lognormal(0.0, 0.7, count))
    mean = float(np.sum(price * np.diff(shares, prepend=0.0)))
    wanted = float(shop.generation.average_order_value) / (LINES_MEAN * QUANTITY_MEAN)
    cents = np.maximum(99, np.rint(price * wanted / mean) * 100 - 1).astype(np.int64)
    looks = len(PRODUCT_KINDS) * len(PRODUCT_COLOURS)
    titles = [
        f"{PRODUCT_KINDS[n % len(PRODUCT_KINDS)]} "
        f"({PRODUCT_COLOURS[n // len(PRODUCT_KINDS) % len(PRODUCT_COLOURS)]})"
        + (f" {n // looks + 1}" if n >= looks else "")
        for n in range(count)
    ]
    first = 7_000_000_000_000 if shop.platform == "shopify" else 100
    ids = first + np.arange(count, dtype=np.int64) * (4_099 if first > 100 else 1)
    skus = [f"{tenant[:3].upper()}-{n + 1:04d}" for n in range(count)]
    return Products(ids, cents, shares, titles, skus)


def store_products(connection: duckdb.DuckDBPyConnection, shop: Shop, products: Products) -> None:
    """Fill the product relation."""
    count = len(products.ids)
    created = (FIRST_DAY + np.arange(count) % 300) * DAY + 36_000
    status = (np.arange(count) % 17 == 16).astype(np.int64)
    table = pa.table(
        {
            "platform": [shop.platform] * count,
            "connection": [shop.connection] * count,
            "product_id": numbers(products.ids),
            "title": products.titles,
            "sku": products.skus,
            "price": numbers(products.price),
            "status": labels(("active", "archived"), status),
            "created": numbers(created),
            "updated": numbers(created + 86_400 * (products.ids % 90)),
        }
    )
    connection.register("made", table)
    connection.execute(
        """
        insert into product by name
        select
            * exclude (price, created, updated),
            cast(price as decimal(18, 0)) * 0.01 as price,
            make_timestamp(created * 1000000) as created_at,
            make_timestamp(updated * 1000000) as updated_at
        from made
        """
    )
    connection.unregister("made")


@dataclass(frozen=True)
class Orders:
    """Orders of several days as columns, before anything is known of their later fate."""

    columns: dict[str, Ints]
    lines: dict[str, Ints]

    def on_day(self, day: int) -> dict[str, Ints]:
        first, after = np.searchsorted(self.columns["day"], (day, day + 1))
        return {name: values[first:after] for name, values in self.columns.items()}

    def on_days(self, first: int, last: int) -> dict[str, Ints]:
        day = self.columns["day"]
        kept = (day >= first) & (day <= last)
        return {name: values[kept] for name, values in self.columns.items()}


def draw_orders(
    scene: Scene, shop: Shop, products: Products, mix: ChannelMix, days: list[date]
) -> Orders:
    """Return all orders of `days` (local days of the tenant), each day from its own stream."""
    orders: list[dict[str, Ints]] = []
    lines: list[dict[str, Ints]] = []
    for day in days:
        made, bought = _draw_day(scene, shop, products, mix, day)
        orders.append(made)
        lines.append(bought)
    return Orders(
        {name: np.concatenate([part[name] for part in orders]) for name in orders[0]},
        {name: np.concatenate([part[name] for part in lines]) for name in lines[0]},
    )


def _draw_day(
    scene: Scene, shop: Shop, products: Products, mix: ChannelMix, day: date
) -> tuple[dict[str, Ints], dict[str, Ints]]:
    tenant, seed = scene.tenant, scene.seed + shop.generation.seed_offset
    random = stream(seed, tenant.slug, "orders", shop.platform, shop.connection, day)
    expected = shop.generation.orders_per_day * WEEKDAY_ORDERS[day.weekday()]
    size = min(int(random.poisson(expected)), shop.capacity)
    number = day_number(day)
    opens = midnight(day, tenant.reporting_timezone)
    closes = midnight(day + timedelta(days=1), tenant.reporting_timezone)
    moment = np.sort(opens + moments_of_day(random, size, closes - opens) // 1_000_000)
    uniform = random.random((16, size))
    channel = mix.pick(number, uniform[0])
    order = (number - FIRST_DAY) * shop.capacity + FIRST_NUMBER + np.arange(size)
    quantity_of_lines = 1 + np.minimum(random.poisson(LINES_MEAN - 1, size), 5)
    owner = np.repeat(np.arange(size), quantity_of_lines)
    product = pick(products.shares, random.random(len(owner)))
    more = random.random(len(owner))
    quantity = 1 + (more < 0.24).astype(np.int64) + (more < 0.08)
    bought = {
        "order": order[owner],
        "place": np.arange(len(owner)) - np.searchsorted(owner, owner),
        "product": product,
        "quantity": quantity,
        "amount": quantity * products.price[product],
    }
    subtotal = np.bincount(owner, bought["amount"], size).astype(np.int64)
    made = {"number": order, "day": np.full(size, number), "ordered": moment, "channel": channel}
    made |= _price(subtotal, uniform[1:4])
    made |= _buyers(shop, uniform[4:8])
    made |= _fate(moment, made["total"], uniform[8:16], float(shop.generation.refund_rate))
    return made, {name: values.astype(np.int64) for name, values in bought.items()}


def moments_of_day(random: np.random.Generator, size: int, seconds: int) -> Ints:
    """Return microseconds after local midnight: evenings are busy, and midnight is never empty."""
    uniform = random.random((3, size))
    busy = np.mod(0.64 + 0.16 * random.standard_normal(size), 1.0)
    share = np.where(uniform[0] < 0.15, uniform[1], busy)
    near = 120 * uniform[2] / seconds
    share = np.where(uniform[0] > 0.98, near, np.where(uniform[0] > 0.96, 1 - near, share))
    return np.minimum(np.floor(share * seconds * 1e6), seconds * 1e6 - 1).astype(np.int64)


def _price(subtotal: Ints, uniform: Floats) -> dict[str, Ints]:
    rate = np.where(uniform[0] < 0.12, 0.10, np.where(uniform[0] < 0.20, 0.15, 0.0))
    discount = np.rint(subtotal * rate).astype(np.int64)
    tax = np.rint((subtotal - discount) * 0.0825).astype(np.int64)
    shipping = np.where(uniform[1] < 0.5, 0, np.where(uniform[1] < 0.85, 495, 995))
    return {
        "subtotal": subtotal,
        "discount": discount,
        "tax": tax,
        "shipping": shipping,
        "total": subtotal - discount + tax + shipping,
        "landing": np.floor(uniform[2] * len(LANDING_PATHS)).astype(np.int64),
    }


def _buyers(shop: Shop, uniform: Floats) -> dict[str, Ints]:
    pool = 40 * (shop.generation.orders_per_day + 1)
    return {
        "person": np.floor(pool * uniform[0] ** 1.5).astype(np.int64),
        "guest": (uniform[1] < 0.15).astype(np.int64),
        "no_email": (uniform[2] < 0.01).astype(np.int64),
        "test": (uniform[3] < 0.01).astype(np.int64),
    }


def _fate(ordered: Ints, total: Ints, uniform: Floats, refund_rate: float) -> dict[str, Ints]:
    """Return the moments at which each order changes, most of them never."""
    late = uniform[0] < 0.15
    paid = ordered + np.where(late, 3_600 + np.floor(uniform[1] * 2 * DAY), 0).astype(np.int64)
    cancels = uniform[2] < 0.03
    paid = np.where(cancels, NEVER, paid)
    cancelled = np.where(cancels, ordered + DAY + np.floor(uniform[1] * 2 * DAY), NEVER)
    refunds = ~cancels & (uniform[3] < refund_rate)
    first = paid + DAY + np.floor(-6 * DAY * np.log1p(-0.97 * uniform[4])).astype(np.int64)
    whole = uniform[5] < 0.5
    part = np.rint(total * (0.15 + 0.5 * uniform[6])).astype(np.int64)
    again = refunds & ~whole & (uniform[5] > 0.9)
    vanishes = uniform[7] < 0.004
    deleted = ordered + 2 * DAY + np.floor(uniform[1] * 12 * DAY).astype(np.int64)
    restored = deleted + DAY + np.floor(uniform[6] * 5 * DAY).astype(np.int64)
    return {
        "paid": paid,
        "cancelled": cancelled.astype(np.int64),
        "refund_1": np.where(refunds, first, NEVER),
        "refund_1_cents": np.where(whole, total, part),
        "refund_2": np.where(again, first + 3 * DAY + 1_234, NEVER),
        "refund_2_cents": total - part,
        "deleted": np.where(vanishes, deleted, NEVER),
        "restored": np.where(vanishes & (uniform[7] < 0.002), restored, NEVER),
    }


def store_orders(
    scene: Scene, shop: Shop, products: Products, orders: Orders, mix: ChannelMix
) -> None:
    """Fill orders and order_line as the shop tells them at the end of the span."""
    connection, tenant, span = scene.connection, scene.tenant, scene.span
    asked = span.closes_at(tenant.reporting_timezone)
    first = day_number(span.start)
    columns = orders.on_days(first - LOOK_BACK, day_number(span.until))
    columns |= _as_of(columns, asked)
    opens = span.opens_at(tenant.reporting_timezone)
    shown: Flags = (columns["day"] >= first) | (columns["updated"] >= opens)
    columns = {name: values[shown] for name, values in columns.items()}
    connection.register("made", _order_table(tenant, shop, columns, mix))
    connection.execute(_ORDERS_SQL, [shop.platform, shop.connection, shop.currency])
    connection.unregister("made")
    of_order = orders.lines["order"]
    kept = np.isin(of_order, columns["number"])
    lines = {name: values[kept] for name, values in orders.lines.items()}
    connection.register("made", _line_table(shop, products, lines))
    connection.execute(_LINES_SQL, [shop.platform, shop.connection])
    connection.unregister("made")


def _as_of(columns: dict[str, Ints], asked: int) -> dict[str, Ints]:
    known = {
        name: columns[name] < asked
        for name in ("paid", "cancelled", "refund_1", "refund_2", "deleted", "restored")
    }
    updated = columns["ordered"]
    for name, happened in known.items():
        updated = np.where(happened, np.maximum(updated, columns[name]), updated)
    refunded = known["refund_1"] * columns["refund_1_cents"]
    refunded = refunded + known["refund_2"] * columns["refund_2_cents"]
    status = known["paid"].astype(np.int64)
    status = np.where(refunded > 0, 2, status)
    status = np.where((refunded > 0) & (refunded >= columns["total"]), 3, status)
    status = np.where(known["cancelled"], 4, status)
    return {
        "updated": updated,
        "refunded": refunded,
        "refunded_at": np.where(known["refund_2"], columns["refund_2"], columns["refund_1"]),
        "status": status,
        "is_refunded": known["refund_1"].astype(np.int64),
        "is_cancelled": known["cancelled"].astype(np.int64),
        "is_deleted": (known["deleted"] & ~known["restored"]).astype(np.int64),
    }


def order_ids(platform: str, order_numbers: Ints) -> Ints:
    """Return the ids that a platform gives to orders of these numbers."""
    first, step = ID_OF_NUMBER.get(platform, (0, 1))
    return np.asarray(first + order_numbers * step)


def customer_ids(platform: str, persons: Ints) -> Ints:
    return np.asarray((6_100_000_000_000 if platform == "shopify" else 10_000) + persons)


def person_names(tenant: str, persons: Ints) -> tuple[Ints, Ints]:
    """Return for each person of the tenant the places of their first and last name."""
    bits = scrambled(persons, stable_number(tenant, "persons", below=2**62))
    first = (bits % np.uint64(len(FIRST_NAMES))).astype(np.int64)
    return first, (bits // np.uint64(1000) % np.uint64(len(LAST_NAMES))).astype(np.int64)


def _order_table(tenant: Tenant, shop: Shop, columns: dict[str, Ints], mix: ChannelMix) -> pa.Table:
    first, last = person_names(tenant.slug, columns["person"])
    channel = columns["channel"]
    cents = ("subtotal", "discount", "tax", "shipping", "total", "refunded")
    guest = columns["guest"] == 1
    return pa.table(
        {
            "order_id": numbers(order_ids(shop.platform, columns["number"])),
            "order_number": numbers(columns["number"]),
            "ordered": numbers(columns["ordered"]),
            "updated": numbers(columns["updated"]),
            "status": labels(STATUSES, columns["status"]),
            **{f"{name}_cents": numbers(columns[name]) for name in cents},
            "customer_id": numbers(customer_ids(shop.platform, columns["person"]), guest),
            "person": numbers(columns["person"], columns["no_email"] == 1),
            "first_name": labels(FIRST_NAMES, first),
            "last_name": labels(LAST_NAMES, last),
            "is_test": pa.array(columns["test"] == 1),
            "is_cancelled": pa.array(columns["is_cancelled"] == 1),
            "cancelled": numbers(columns["cancelled"], columns["is_cancelled"] == 0),
            "is_deleted": pa.array(columns["is_deleted"] == 1),
            "utm_source": labels(mix.sources, channel),
            "utm_medium": labels(mix.mediums, channel),
            "utm_campaign": labels(mix.campaigns, channel),
            "landing": labels(LANDING_PATHS, columns["landing"]),
            "utm_query": labels(mix.queries, channel),
            "refunded_moment": numbers(columns["refunded_at"], columns["is_refunded"] == 0),
        }
    )


def _line_table(shop: Shop, products: Products, lines: dict[str, Ints]) -> pa.Table:
    product = lines["product"]
    order = order_ids(shop.platform, lines["order"])
    return pa.table(
        {
            "order_id": numbers(order),
            "line_id": numbers(order * 10 + lines["place"]),
            "product_id": numbers(products.ids[product]),
            "sku": labels(products.skus, product),
            "title": labels(products.titles, product),
            "quantity": numbers(lines["quantity"]),
            "price_cents": numbers(products.price[product]),
            "amount_cents": numbers(lines["amount"]),
        }
    )


# an address is the person's for ever: name and number, in plain letters
EMAIL_SQL = """
    lower(regexp_replace(strip_accents(first_name || '.' || last_name), '[^A-Za-z.]', '', 'g'))
    || person || '@mail.example'
"""
_ORDERS_SQL = f"""
    insert into orders by name
    select
        ? as platform,
        ? as connection,
        ? as currency,
        order_id,
        order_number,
        make_timestamp(ordered * 1000000) as ordered_at,
        make_timestamp(updated * 1000000) as updated_at,
        status,
        cast(subtotal_cents as decimal(18, 0)) * 0.01 as subtotal,
        cast(discount_cents as decimal(18, 0)) * 0.01 as discount,
        cast(tax_cents as decimal(18, 0)) * 0.01 as tax,
        cast(shipping_cents as decimal(18, 0)) * 0.01 as shipping,
        cast(total_cents as decimal(18, 0)) * 0.01 as total,
        cast(refunded_cents as decimal(18, 0)) * 0.01 as refunded,
        customer_id,
        {EMAIL_SQL} as customer_email,
        first_name,
        last_name,
        is_test,
        is_cancelled,
        make_timestamp(cancelled * 1000000) as cancelled_at,
        is_deleted,
        utm_source,
        utm_medium,
        utm_campaign,
        landing || utm_query as landing_path,
        make_timestamp(refunded_moment * 1000000) as refunded_at
    from made
"""
_LINES_SQL = """
    insert into order_line by name
    select
        ? as platform,
        ? as connection,
        order_id,
        line_id,
        product_id,
        sku,
        title,
        quantity,
        cast(price_cents as decimal(18, 0)) * 0.01 as unit_price,
        cast(amount_cents as decimal(18, 0)) * 0.01 as line_total
    from made
"""
