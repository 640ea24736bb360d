"""Orders of Shopify, written by hand, and the facts that a person reads in them."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: REST Admin API, Order, Refund and Transaction; airbyte-source-shopify, `orders`.
LINE = {"id": 466157049, "title": "iPod", "quantity": 2, "price": "110.00", "sku": "IPOD"}


def order(order_id: int, **fields: Any) -> dict[str, Any]:
    """Return an order of 409.94 dollars that was paid, but for `fields`."""
    return {
        "id": order_id,
        "order_number": 1001,
        "created_at": "2024-01-10T11:00:00-05:00",
        "processed_at": "2024-01-09T11:00:00-05:00",
        "updated_at": "2024-01-11T11:00:00-05:00",
        "financial_status": "paid",
        "test": False,
        "currency": "USD",
        "presentment_currency": "JPY",
        "total_price": "409.94",
        "total_price_set": {
            "shop_money": {"amount": "409.94", "currency_code": "USD"},
            "presentment_money": {"amount": "61491", "currency_code": "JPY"},
        },
        "current_total_price": "400.00",
        "subtotal_price": "388.00",
        "total_line_items_price": "398.00",
        "total_discounts": "10.00",
        "total_tax": "11.94",
        "total_shipping_price_set": {
            "shop_money": {"amount": "10.00", "currency_code": "USD"},
            "presentment_money": {"amount": "1500", "currency_code": "JPY"},
        },
        "email": "bob@example.com",
        "customer": {"id": 9007199254740993, "email": "bob@example.com"},
        "line_items": [LINE],
        "refunds": [],
        **fields,
    }


def transaction(kind: str, status: str, amount: str) -> dict[str, str]:
    """Return an entry of a refund's transactions."""
    return {"kind": kind, "status": status, "amount": amount}


ORDERS = [
    # The evening of the first summer day in New York; two refunds, of which a payment that failed
    # and a void gave nothing back.
    order(
        450789469,
        created_at="2024-03-10T23:59:59-04:00",
        financial_status="partially_refunded",
        refunds=[
            {
                "id": 1,
                "transactions": [
                    transaction("refund", "success", "41.94"),
                    transaction("refund", "failure", "300.00"),
                    transaction("void", "success", "7.00"),
                ],
                "refund_line_items": [{"subtotal": 199.0, "total_tax": 3.98}],
            },
            {"id": 2, "transactions": [transaction("refund", "success", "0.10")]},
        ],
    ),
    # A guest who gave a telephone number; an old API version without the shipping total.
    order(
        2**53 + 1,
        created_at="2024-03-10T01:30:00-05:00",
        customer=None,
        email="",
        total_shipping_price_set=None,
        shipping_lines=[{"price": "6.00"}, {"price": "4.00"}],
    ),
    order(3, test=True),
    order(4, financial_status="paid", cancelled_at="2024-01-12T11:00:00-05:00"),
    order(5, financial_status="voided"),
    order(6, financial_status="pending"),
    order(7, financial_status="authorized"),
]
# Airbyte: money as doubles, the customer flat, deleted orders with their moment.
AIRBYTE_ORDERS = [
    order(
        450789469,
        created_at="2024-01-10T16:00:00+00:00",
        total_price=409.94,
        current_total_price=400.0,
        subtotal_price=388.0,
        total_line_items_price=None,
        total_discounts=10.0,
        total_tax=11.94,
        currency=None,
        customer=None,
        customer_id=9007199254740993,
    ),
    order(
        8,
        total_price=1.0,
        current_total_price=1.0,
        subtotal_price=1.0,
        total_line_items_price=1.0,
        total_discounts=0.0,
        total_tax=0.0,
        deleted_at="2024-02-01T00:00:00+00:00",
    ),
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("shopify") / "project")
    connections = {"main": {}, "canada": {"currency": "CAD"}}
    tenant = golden_tenant(
        {"shopify": {"connections": connections}}, reporting_timezone="America/New_York"
    )
    project.configure({TENANT: tenant})
    for connection, loader, rows in (
        ("main", "native", ORDERS),
        ("canada", "airbyte", AIRBYTE_ORDERS),
    ):
        project.land_records(
            TENANT, "shopify", "orders", rows, "--loader", loader, "--connection", connection
        )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def orders(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in facts.rows("orders", "connection = 'main'")}


def test_money_is_in_the_shop_s_currency_and_as_it_was_ordered(
    orders: dict[str, dict[str, Any]],
) -> None:
    order = orders["450789469"]

    assert order["total_price"] == Decimal("409.94")
    assert order["subtotal"] == Decimal("398.00")
    assert order["discount"] == Decimal("10.00")
    assert order["tax"] == Decimal("11.94")
    assert order["shipping"] == Decimal("10.00")
    assert order["currency"] == "USD"


def test_only_successful_refund_transactions_gave_money_back(
    orders: dict[str, dict[str, Any]],
) -> None:
    assert orders["450789469"]["refunded"] == Decimal("42.04")
    assert orders["3"]["refunded"] == Decimal("0")


def test_moments_apply_their_offset_and_the_day_is_that_of_the_reporting_zone(
    orders: dict[str, dict[str, Any]],
) -> None:
    moments = {
        n: (orders[n]["ordered_at"], orders[n]["business_date"], orders[n]["order_date"])
        for n in ("450789469", "9007199254740993")
    }

    assert moments == {
        "450789469": (datetime(2024, 3, 11, 3, 59, 59), date(2024, 3, 10), date(2024, 3, 10)),
        "9007199254740993": (datetime(2024, 3, 10, 6, 30), date(2024, 3, 10), date(2024, 3, 10)),
    }


def test_test_and_unpaid_orders_stay_and_are_marked(orders: dict[str, dict[str, Any]]) -> None:
    marks = {n: (o["financial_status"], o["is_cancelled"], o["is_test"]) for n, o in orders.items()}

    assert marks == {
        "450789469": ("partially_refunded", False, False),
        "9007199254740993": ("paid", False, False),
        "3": ("paid", False, True),
        "4": ("cancelled", True, False),
        "5": ("cancelled", True, False),
        "6": ("pending", False, False),
        "7": ("authorized", False, False),
    }


def test_guests_have_neither_id_nor_an_empty_address(orders: dict[str, dict[str, Any]]) -> None:
    guest = orders["9007199254740993"]

    assert (guest["customer_id"], guest["customer_email"]) == (None, None)
    assert orders["3"]["customer_id"] == "9007199254740993"
    assert orders["3"]["customer_email"] == "bob@example.com"


def test_shipping_comes_from_its_lines_where_the_total_is_not_sent(
    orders: dict[str, dict[str, Any]],
) -> None:
    assert orders["9007199254740993"]["shipping"] == Decimal("10.00")


def test_lines_stay_as_the_shop_sent_them(orders: dict[str, dict[str, Any]]) -> None:
    assert json.loads(orders["3"]["line_items_json"]) == [LINE]


def test_by_airbyte_numbers_keep_their_cents_and_deleted_orders_leave(facts: GoldenFacts) -> None:
    (order,) = facts.rows("orders", "connection = 'canada'")

    assert order["order_id"] == "450789469"
    assert order["total_price"] == Decimal("409.94")
    assert order["subtotal"] == Decimal("398.00")
    assert order["tax"] == Decimal("11.94")
    assert order["currency"] == "CAD"
    assert order["customer_id"] == "9007199254740993"
    assert order["ordered_at"] == datetime(2024, 1, 10, 16)
