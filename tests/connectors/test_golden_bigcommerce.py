"""Orders of BigCommerce, written by hand, and the facts that a person reads in them."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: REST API v2, Orders (`/v2/orders`) and Order Status; airbyte-source-bigcommerce, `orders`.
LINK = {"url": "https://api.bigcommerce.com/stores/x/v2/orders/101/products", "resource": "/orders"}
LINES = [{"id": 9, "product_id": 77, "quantity": 2, "price_inc_tax": "20.0000"}]


def order(order_id: int, **fields: Any) -> dict[str, Any]:
    """Return an order of 40 dollars that was paid, but for `fields`."""
    return {
        "id": order_id,
        "date_created": "Fri, 01 Mar 2024 15:00:00 +0000",
        "date_modified": "Fri, 01 Mar 2024 15:00:00 +0000",
        "status_id": 11,
        "status": "Awaiting Fulfillment",
        "is_deleted": False,
        "default_currency_code": "USD",
        "currency_code": "USD",
        "currency_exchange_rate": "1.0000000000",
        "total_inc_tax": "40.0000",
        "total_ex_tax": "40.0000",
        "total_tax": "0.0000",
        "subtotal_inc_tax": "40.0000",
        "subtotal_ex_tax": "40.0000",
        "discount_amount": "0.0000",
        "coupon_discount": "0.0000",
        "shipping_cost_inc_tax": "0.0000",
        "shipping_cost_ex_tax": "0.0000",
        "refunded_amount": "0.0000",
        "customer_id": 12,
        "billing_address": {"first_name": "Ada", "email": "ada@example.com"},
        "items_total": 1,
        "products": LINK,
        "payment_method": "Credit Card",
        **fields,
    }


ORDERS = [
    # Paid in euro, shown in dollars; two kinds of discount; taxed shipping; store credit is a means
    # of payment. Half past three in the morning of the 6th in London is still the 5th in New York.
    order(
        101,
        date_created="Wed, 06 Mar 2024 03:30:00 +0000",
        status_id=14,
        status="Teilweise erstattet",
        default_currency_code="EUR",
        currency_code="USD",
        currency_exchange_rate="1.0900000000",
        total_inc_tax="129.5000",
        total_ex_tax="110.0000",
        total_tax="19.5000",
        subtotal_inc_tax="138.5000",
        subtotal_ex_tax="120.0000",
        discount_amount="5.0000",
        coupon_discount="10.0000",
        shipping_cost_inc_tax="6.0000",
        shipping_cost_ex_tax="5.0000",
        refunded_amount="29.5000",
        store_credit_amount="50.0000",
        customer_id=9007199254740993,
    ),
    # A guest without an address, the lines embedded, an offset of its own.
    order(
        102,
        date_created="Tue, 05 Mar 2024 23:30:00 -0500",
        customer_id=0,
        billing_address={"first_name": "", "email": ""},
        products=LINES,
    ),
    order(103, status_id=5, status="Refunded?"),
    order(104, is_deleted=True),
    order(105, status_id=0, status="Incomplete"),
    order(106, status_id=6, status="Declined"),
    order(
        107,
        status_id=4,
        status="Shipped",
        refunded_amount="40.0000",
        payment_method="Test Payment Gateway",
    ),
    # Half an hour after midnight of the first summer day in New York.
    order(108, date_created="Mon, 11 Mar 2024 04:30:00 +0000", status_id=7, status="Shipped"),
    # Money went back, and the shop set the order to shipped again.
    order(109, status_id=2, refunded_amount="0.0100"),
]
# Airbyte: ISO moments, no `total_tax`, no currency, and nothing said of deletion. The number is one
# of the other store's too.
AIRBYTE_ORDERS = [
    {
        "id": 101,
        "date_created": "2024-03-07T12:00:00+00:00",
        "date_modified": "2024-03-07T12:00:00+00:00",
        "status_id": 10,
        "status": "Completed",
        "payment_status": "",
        "total_inc_tax": "11.3000",
        "total_ex_tax": "10.0000",
        "subtotal_ex_tax": "8.0000",
        "subtotal_inc_tax": "9.0400",
        "discount_amount": "0.0000",
        "coupon_discount": "0.0000",
        "shipping_cost_ex_tax": "2.0000",
        "shipping_cost_inc_tax": "2.2600",
        "refunded_amount": "0.0000",
        "base_wrapping_cost": 0,
        "customer_id": 12,
        "billing_address": {"email": "bo@example.com"},
        "products": LINK,
    }
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("bigcommerce") / "project")
    connections = {"main": {}, "canada": {"currency": "CAD"}}
    tenant = golden_tenant(
        {"bigcommerce": {"connections": connections}}, reporting_timezone="America/New_York"
    )
    project.configure({TENANT: tenant})
    for connection, loader, rows in (
        ("main", "native", ORDERS),
        ("canada", "airbyte", AIRBYTE_ORDERS),
    ):
        project.land_records(
            TENANT, "bigcommerce", "orders", rows, "--loader", loader, "--connection", connection
        )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def orders(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in facts.rows("orders", "connection = 'main'")}


def test_money_is_what_was_paid_with_tax_and_its_parts_without(
    orders: dict[str, dict[str, Any]],
) -> None:
    order = orders["101"]

    assert order["total_price"] == Decimal("129.50")
    assert order["subtotal"] == Decimal("120.00")
    assert order["discount"] == Decimal("15.00")
    assert order["tax"] == Decimal("19.50")
    assert order["shipping"] == Decimal("5.00")
    assert order["refunded"] == Decimal("29.50")
    assert order["currency"] == "EUR"


def test_the_day_is_that_of_the_reporting_zone_and_follows_summer_time(
    orders: dict[str, dict[str, Any]],
) -> None:
    moments = {
        n: (orders[n]["ordered_at"], orders[n]["business_date"]) for n in ("101", "102", "108")
    }

    assert moments == {
        "101": (datetime(2024, 3, 6, 3, 30), date(2024, 3, 5)),
        "102": (datetime(2024, 3, 6, 4, 30), date(2024, 3, 5)),
        "108": (datetime(2024, 3, 11, 4, 30), date(2024, 3, 11)),
    }
    assert all(order["order_date"] == order["business_date"] for order in orders.values())


def test_the_status_is_read_from_its_number_and_from_the_money_given_back(
    orders: dict[str, dict[str, Any]],
) -> None:
    statuses = {n: (o["financial_status"], o["is_cancelled"]) for n, o in orders.items()}

    assert statuses == {
        "101": ("partially_refunded", False),
        "102": ("paid", False),
        "103": ("cancelled", True),
        "105": ("incomplete", True),
        "106": ("declined", True),
        "107": ("refunded", False),
        "108": ("pending", False),
        "109": ("partially_refunded", False),
    }


def test_guests_have_neither_id_nor_an_empty_address(orders: dict[str, dict[str, Any]]) -> None:
    assert (orders["102"]["customer_id"], orders["102"]["customer_email"]) == (None, None)
    assert orders["101"]["customer_id"] == "9007199254740993"
    assert orders["101"]["customer_email"] == "ada@example.com"


def test_a_link_is_no_list_of_lines(orders: dict[str, dict[str, Any]]) -> None:
    assert orders["101"]["line_items_json"] is None
    assert json.loads(orders["102"]["line_items_json"]) == LINES


def test_only_orders_of_the_test_gateway_are_tests(orders: dict[str, dict[str, Any]]) -> None:
    assert [number for number, order in orders.items() if order["is_test"]] == ["107"]


def test_an_order_by_airbyte_has_its_tax_from_the_totals_and_the_currency_of_its_connection(
    facts: GoldenFacts,
) -> None:
    (order,) = facts.rows("orders", "connection = 'canada'")

    assert order["order_id"] == "101"
    assert order["ordered_at"] == datetime(2024, 3, 7, 12)
    assert order["total_price"] == Decimal("11.30")
    assert order["subtotal"] == Decimal("8.00")
    assert order["tax"] == Decimal("1.30")
    assert order["shipping"] == Decimal("2.00")
    assert order["currency"] == "CAD"
    assert order["financial_status"] == "paid"
