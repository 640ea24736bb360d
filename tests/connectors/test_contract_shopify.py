"""The Shopify contract reads what the REST API sends and what Airbyte makes of it."""

import json
import os
from pathlib import Path

import pytest

from martlet.contracts.shopify.airbyte import AirbyteOrder, AirbyteProduct
from martlet.contracts.shopify.contract import CONTRACTS
from martlet.contracts.shopify.native import Order, Product

ORDER = {
    "id": 5551234567890,
    "order_number": 1001,
    "name": "#1001",
    "email": "ada@example.org",
    "created_at": "2024-03-05T21:40:11-05:00",
    "updated_at": "2024-03-06T08:00:00-05:00",
    "cancelled_at": None,
    "test": False,
    "currency": "USD",
    "total_price": "64.90",
    "current_total_price": "54.90",
    "total_discounts": "5.00",
    "total_tax": "4.90",
    "total_shipping_price_set": {"shop_money": {"amount": "5.00", "currency_code": "USD"}},
    "financial_status": "partially_refunded",
    "landing_site": "/?utm_source=google&utm_medium=cpc",
    "customer": {"id": 7771, "email": "ada@example.org", "total_spent": "64.90"},
    "line_items": [{"id": 1, "sku": "A-1", "quantity": 1, "price": "60.00"}],
    "refunds": [{"id": 9, "transactions": [{"kind": "refund", "amount": "10.00"}]}],
}
AIRBYTE_ORDER = {
    **ORDER,
    "total_price": 64.9,
    "current_total_price": 54.9,
    "total_discounts": 5.0,
    "total_tax": 4.9,
    "total_outstanding": 0.0,
    "total_tip_received": 0.0,
    "fulfillment_status": "fulfilled",
    "cancelled_at": "2024-03-07T08:00:00-05:00",
    "cancel_reason": "customer",
    "deleted_at": "2024-03-08T08:00:00-05:00",
    "customer_id": 7771,
    "customer_email": "ada@example.org",
}
AIRBYTE_PRODUCT = {
    "id": 632910392,
    "deleted_at": "2024-03-08T08:00:00-05:00",
    "total_inventory": 3,
    "price_range_v2": {"min_variant_price": {"amount": 60.0, "currency_code": "USD"}},
    "featured_image": {"url": "https://cdn.example/cup.png"},
}
PRODUCT = {
    "id": 632910392,
    "title": "Cup",
    "status": "active",
    "tags": "Kitchen, Blue",
    "updated_at": "2024-03-05T21:40:11-05:00",
    "image": {"src": "https://cdn.example/cup.png"},
    "variants": [{"id": 1, "sku": "A-1", "price": "60.00"}],
}


def test_a_wire_order_keeps_its_money_as_text() -> None:
    order = Order.model_validate(ORDER)

    assert order.id == 5551234567890
    assert order.total_price == "64.90"
    assert order.customer is not None
    assert order.customer.id == 7771


def test_an_airbyte_order_has_numbers_and_a_flat_customer() -> None:
    order = AirbyteOrder.model_validate(AIRBYTE_ORDER)

    assert order.total_price == 64.9
    assert order.customer_id == 7771


def test_a_product_validates_in_both_shapes() -> None:
    wire = Product.model_validate(PRODUCT)
    airbyte = AirbyteProduct.model_validate(AIRBYTE_PRODUCT)

    assert wire.id == airbyte.id == 632910392


def test_keys_and_needed_columns_exist() -> None:
    for contract in CONTRACTS:
        columns = {column.name for column in contract.columns}
        assert {*contract.key, *contract.needed, contract.cursor} <= columns


def test_public_records_of_the_api_validate() -> None:
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("MARTLET_REAL_RECORDS", root.parent / "shared" / "real_records"))
    path = folder / "shopify.jsonl"
    if not path.exists():
        pytest.skip("no file of public records: set MARTLET_REAL_RECORDS")
    models: dict[str, type[Order] | type[Product]] = {"orders": Order, "products": Product}

    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    validated = [
        models[line["object"]].model_validate(line["data"])
        for line in lines
        if line["object"] in models
    ]

    assert len(validated) > 0
    assert all(record.id is not None for record in validated)
