"""Orders of WooCommerce, written by hand, and the facts that a person reads in them."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: REST API v3, Orders (order, line item, refund and meta data properties);
# airbyte-source-woocommerce, `orders`.
LINE = {
    "id": 315,
    "product_id": 93,
    "quantity": 2,
    "subtotal": "25.00",
    "subtotal_tax": "2.50",
    "total": "20.00",
    "total_tax": "2.00",
    "price": 10,
}


def order(order_id: int, **fields: Any) -> dict[str, Any]:
    """Return an order of 27 pounds that was paid, but for `fields`."""
    return {
        "id": order_id,
        "number": f"A-{order_id}",
        "status": "processing",
        "currency": "GBP",
        "date_created": "2024-03-01T15:00:00",
        "date_created_gmt": "2024-03-01T15:00:00",
        "date_modified_gmt": "2024-03-01T15:00:00",
        "discount_total": "5.00",
        "discount_tax": "0.50",
        "shipping_total": "4.50",
        "shipping_tax": "0.50",
        "cart_tax": "2.00",
        "total": "27.00",
        "total_tax": "2.50",
        "prices_include_tax": True,
        "customer_id": 26,
        "billing": {"first_name": "Ada", "email": "ada@example.com"},
        "line_items": [LINE],
        "refunds": [],
        "meta_data": [],
        **fields,
    }


ORDERS = [
    # The site's clock is in Auckland. In London, where the tenant reports, summer time began that
    # morning: half past eleven in UTC is half an hour into April.
    order(
        727,
        status="completed",
        date_created="2024-04-01T12:30:00",
        date_created_gmt="2024-03-31T23:30:00",
        refunds=[
            {"id": 1, "reason": "", "total": "-5.00"},
            {"id": 2, "reason": "damaged", "total": "-1.05"},
        ],
    ),
    # A guest: zero and empty text stand for nothing. A plug-in's meta data is of any kind.
    order(
        728,
        date_created_gmt="2024-03-30T23:30:00",
        customer_id=0,
        billing={"email": ""},
        meta_data=[
            {"id": 1, "key": "_wcpay_mode", "value": {"test": True}},
            {"id": 2, "key": "_gift", "value": ["test"]},
        ],
    ),
    order(729, status="on-hold"),
    order(730, status="refunded", refunds=[{"id": 3, "reason": "", "total": "-27.00"}]),
    order(731, status="cancelled"),
    order(732, status="failed"),
    order(733, status="trash"),
    order(734, meta_data=[{"id": 1, "key": "_wcpay_mode", "value": "test"}]),
    # Given back in full by hand, the status left as it was; lines that came to nothing.
    order(735, line_items=[], refunds=[{"id": 4, "reason": "", "total": "-27.00"}]),
    order(736, status="parcel-lost"),
]
# Airbyte passes the same form on, `meta_data` as an object; the currency may be missing.
AIRBYTE_ORDER = order(
    727, currency="", total="270.00", meta_data={"key": "a"}, shop_url="b.example", line_items=[]
)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("woocommerce") / "project")
    connections = {
        "main": {"timezone": "Pacific/Auckland"},
        "outlet": {"timezone": "Pacific/Auckland", "currency": "NZD"},
    }
    tenant = golden_tenant(
        {"woocommerce": {"connections": connections}}, reporting_timezone="Europe/London"
    )
    project.configure({TENANT: tenant})
    for connection, loader, rows in (
        ("main", "native", ORDERS),
        ("outlet", "airbyte", [AIRBYTE_ORDER]),
    ):
        project.land_records(
            TENANT, "woocommerce", "orders", rows, "--loader", loader, "--connection", connection
        )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def orders(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in facts.rows("orders", "connection = 'main'")}


def test_the_moment_is_the_one_in_utc_and_the_day_that_of_the_reporting_zone(
    orders: dict[str, dict[str, Any]],
) -> None:
    moments = {n: (orders[n]["ordered_at"], orders[n]["business_date"]) for n in ("727", "728")}

    assert moments == {
        "727": (datetime(2024, 3, 31, 23, 30), date(2024, 4, 1)),
        "728": (datetime(2024, 3, 30, 23, 30), date(2024, 3, 30)),
    }
    assert all(order["order_date"] == order["business_date"] for order in orders.values())


def test_refunds_below_zero_are_what_was_given_back_and_do_not_lower_the_total(
    orders: dict[str, dict[str, Any]],
) -> None:
    money = {n: (orders[n]["total_price"], orders[n]["refunded"]) for n in ("727", "728", "730")}

    assert money == {
        "727": (Decimal("27.00"), Decimal("6.05")),
        "728": (Decimal("27.00"), Decimal("0.00")),
        "730": (Decimal("27.00"), Decimal("27.00")),
    }


def test_the_parts_of_the_total_are_without_tax(orders: dict[str, dict[str, Any]]) -> None:
    order = orders["727"]

    assert order["subtotal"] == Decimal("25.00")
    assert order["discount"] == Decimal("5.00")
    assert order["tax"] == Decimal("2.50")
    assert order["shipping"] == Decimal("4.50")
    assert order["currency"] == "GBP"


def test_an_order_without_lines_has_its_subtotal_from_the_total(
    orders: dict[str, dict[str, Any]],
) -> None:
    assert orders["735"]["subtotal"] == Decimal("25.00")


def test_the_status_follows_the_money_given_back(orders: dict[str, dict[str, Any]]) -> None:
    statuses = {n: (o["financial_status"], o["is_cancelled"]) for n, o in orders.items()}

    assert statuses == {
        "727": ("partially_refunded", False),
        "728": ("paid", False),
        "729": ("pending", False),
        "730": ("refunded", False),
        "731": ("cancelled", True),
        "732": ("failed", True),
        "734": ("paid", False),
        "735": ("refunded", False),
        "736": ("parcel-lost", False),
    }


def test_guests_have_neither_id_nor_an_empty_address(orders: dict[str, dict[str, Any]]) -> None:
    assert (orders["728"]["customer_id"], orders["728"]["customer_email"]) == (None, None)
    assert orders["727"]["customer_id"] == "26"
    assert orders["727"]["customer_email"] == "ada@example.com"


def test_only_payments_in_test_mode_are_tests(orders: dict[str, dict[str, Any]]) -> None:
    assert [number for number, order in orders.items() if order["is_test"]] == ["734"]


def test_lines_stay_as_the_shop_sent_them(orders: dict[str, dict[str, Any]]) -> None:
    assert json.loads(orders["727"]["line_items_json"]) == [LINE]


def test_a_second_shop_keeps_its_own_order_of_the_same_number(facts: GoldenFacts) -> None:
    (order,) = facts.rows("orders", "connection = 'outlet'")

    assert order["order_id"] == "727"
    assert order["ordered_at"] == datetime(2024, 3, 1, 15)
    assert order["total_price"] == Decimal("270.00")
    assert order["subtotal"] == Decimal("268.00")
    assert order["currency"] == "NZD"
