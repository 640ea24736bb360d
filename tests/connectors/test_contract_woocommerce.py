"""The WooCommerce contract reads what the REST API sends and what Airbyte passes on."""

import json
import os
from pathlib import Path

import pytest

from martlet.contracts.woocommerce.airbyte import AirbyteOrder, AirbyteProduct
from martlet.contracts.woocommerce.contract import CONTRACTS
from martlet.contracts.woocommerce.native import Order, Product

ORDER = {
    "id": 727,
    "parent_id": 0,
    "number": "727",
    "status": "completed",
    "created_via": "checkout",
    "currency": "EUR",
    "date_created": "2024-03-05T22:10:00",
    "date_created_gmt": "2024-03-05T21:10:00",
    "date_modified_gmt": "2024-03-06T08:00:00",
    "date_paid_gmt": "2024-03-05T21:11:00",
    "date_completed_gmt": "2024-03-06T08:00:00",
    "discount_total": "5.00",
    "discount_tax": "0.95",
    "shipping_total": "4.90",
    "shipping_tax": "0.93",
    "cart_tax": "9.50",
    "total": "65.33",
    "total_tax": "10.43",
    "prices_include_tax": True,
    "customer_id": 0,
    "billing": {"first_name": "Ada", "email": "ada@example.org", "country": "DE"},
    "payment_method": "bacs",
    "transaction_id": "pay-1",
    "meta_data": [{"id": 1, "key": "_wc_order_attribution_utm_source", "value": "google"}],
    "line_items": [{"id": 1, "sku": "A-1", "quantity": 1, "total": "50.00", "price": 50}],
    "tax_lines": [],
    "shipping_lines": [],
    "fee_lines": [],
    "coupon_lines": [{"id": 2, "code": "SPRING", "discount": "5.00"}],
    "refunds": [{"id": 9, "reason": "", "total": "-10.00"}],
}
AIRBYTE_ORDER = {
    **ORDER,
    "shop_url": "shop.example",
    "meta_data": {"id": 1, "key": "_wc_order_attribution_utm_source", "value": ["google"]},
}
PRODUCT = {
    "id": 794,
    "name": "Cup",
    "type": "variable",
    "status": "publish",
    "sku": "A-1",
    "price": "50.00",
    "regular_price": "60.00",
    "sale_price": "50.00",
    "on_sale": True,
    "stock_quantity": 3,
    "date_modified_gmt": "2024-03-06T08:00:00",
    "variations": [795, 796],
    "meta_data": [],
}


def test_a_wire_order_keeps_its_money_as_text_and_its_negative_refunds() -> None:
    order = Order.model_validate(ORDER)

    assert order.id == 727
    assert order.total == "65.33"
    assert order.refunds is not None
    assert order.refunds[0]["total"] == "-10.00"
    assert order.billing is not None
    assert order.billing.email == "ada@example.org"


def test_an_airbyte_order_may_carry_one_object_as_meta_data() -> None:
    order = AirbyteOrder.model_validate(AIRBYTE_ORDER)

    assert order.id == 727
    assert isinstance(order.meta_data, dict)


def test_a_product_validates_in_both_shapes() -> None:
    wire = Product.model_validate(PRODUCT)
    airbyte = AirbyteProduct.model_validate(PRODUCT)

    assert wire.id == airbyte.id == 794
    assert wire.price == "50.00"


def test_keys_and_needed_columns_exist() -> None:
    for contract in CONTRACTS:
        columns = {column.name for column in contract.columns}
        assert {*contract.key, *contract.needed, contract.cursor} <= columns


def test_public_records_of_the_api_validate_in_both_shapes() -> None:
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("MARTLET_REAL_RECORDS", root.parent / "shared" / "real_records"))
    path = folder / "woocommerce.jsonl"
    if not path.exists():
        pytest.skip("no file of public records: set MARTLET_REAL_RECORDS")
    models = {"orders": (Order, AirbyteOrder), "products": (Product, AirbyteProduct)}

    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    validated = [
        model.model_validate(line["data"]) for line in lines for model in models[line["object"]]
    ]

    assert len(validated) > 0
    assert all(record.id is not None for record in validated)
