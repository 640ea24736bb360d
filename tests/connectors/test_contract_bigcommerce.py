"""The BigCommerce contract reads what the API sends and what Airbyte makes of it."""

from martlet.contracts.bigcommerce.airbyte import AirbyteOrder, AirbyteProduct
from martlet.contracts.bigcommerce.contract import CONTRACTS
from martlet.contracts.bigcommerce.native import Order, Product, ResourceLink

ORDER = {
    "id": 118,
    "external_id": "erp-1",
    "channel_id": 1,
    "customer_id": 0,
    "date_created": "Tue, 05 Mar 2024 21:40:11 +0000",
    "date_modified": "Wed, 06 Mar 2024 08:00:00 +0000",
    "date_shipped": "Wed, 06 Mar 2024 07:00:00 +0000",
    "status": "Shipped",
    "status_id": 2,
    "payment_status": "captured",
    "payment_method": "Card",
    "is_deleted": False,
    "currency_code": "USD",
    "currency_exchange_rate": "1.0000000000",
    "default_currency_code": "USD",
    "total_inc_tax": "85.0000",
    "total_ex_tax": "78.0000",
    "total_tax": "7.0000",
    "subtotal_inc_tax": "80.0000",
    "subtotal_ex_tax": "73.0000",
    "discount_amount": "0.0000",
    "coupon_discount": "5.0000",
    "shipping_cost_inc_tax": "10.0000",
    "shipping_cost_ex_tax": "10.0000",
    "handling_cost_inc_tax": "0.0000",
    "wrapping_cost_inc_tax": "0.0000",
    "refunded_amount": "15.0000",
    "store_credit_amount": "0.0000",
    "gift_certificate_amount": "0.0000",
    "items_total": 2,
    "order_source": "www",
    "external_source": "pos",
    "billing_address": {"email": "ada@example.org", "country_iso2": "US"},
    "products": {"url": "https://api.example/v2/orders/118/products", "resource": "/products"},
}
AIRBYTE_ORDER = {**ORDER, "date_modified": "2024-03-06T08:00:00+00:00", "base_wrapping_cost": 0}
PRODUCT = {
    "id": 77,
    "name": "Cup",
    "type": "physical",
    "sku": "A-1",
    "price": 40.0,
    "calculated_price": 38.5,
    "sale_price": 38.5,
    "retail_price": 45.0,
    "cost_price": 20.0,
    "view_count": 120,
    "variants": [{"id": 1, "sku": "A-1", "price": 40.0}],
    "brand_id": 3,
    "availability": "available",
    "is_visible": True,
    "inventory_level": 12,
    "total_sold": 5,
    "categories": [23],
    "custom_url": {"url": "/cup/", "is_customized": False},
    "date_created": "2024-01-01T10:00:00+00:00",
    "date_modified": "2024-03-05T21:40:11+00:00",
}


def test_a_wire_order_keeps_its_money_as_text_and_its_lines_as_a_link() -> None:
    order = Order.model_validate(ORDER)

    assert order.id == 118
    assert order.total_inc_tax == "85.0000"
    assert isinstance(order.products, ResourceLink)


def test_a_loader_may_embed_the_lines() -> None:
    order = Order.model_validate({**ORDER, "products": [{"id": 1, "sku": "A-1", "quantity": 2}]})

    assert isinstance(order.products, list)


def test_an_airbyte_order_validates() -> None:
    order = AirbyteOrder.model_validate(AIRBYTE_ORDER)

    assert order.id == 118
    assert order.base_wrapping_cost == 0


def test_a_product_validates_in_both_shapes() -> None:
    wire = Product.model_validate(PRODUCT)
    airbyte = AirbyteProduct.model_validate({**PRODUCT, "brand_name": "Acme"})

    assert wire.id == airbyte.id == 77


def test_keys_and_needed_columns_exist() -> None:
    for contract in CONTRACTS:
        columns = {column.name for column in contract.columns}
        assert {*contract.key, *contract.needed, contract.cursor} <= columns
