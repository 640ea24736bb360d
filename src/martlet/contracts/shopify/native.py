"""Shopify orders and products as the REST Admin API sends them."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, Nested, optional, personal


class Money(Nested):
    """An amount in major units; a string on the wire, a number after Airbyte."""

    amount: str | float | None = optional()
    currency_code: str | None = optional()


class MoneySet(Nested):
    """One amount twice: in the shop's currency and in the one that the buyer saw."""

    shop_money: Money | None = optional()
    presentment_money: Money | None = optional()


class ClientDetails(Nested):
    """The browser that placed the order."""

    accept_language: str | None = optional()
    browser_height: int | None = optional()
    browser_ip: str | None = personal()
    browser_width: int | None = optional()
    session_hash: str | None = personal()
    user_agent: str | None = personal()


class Address(Nested):
    """A postal address; the members `id` to `default` only on a customer's default address."""

    first_name: str | None = personal()
    last_name: str | None = personal()
    name: str | None = personal()
    company: str | None = personal()
    address1: str | None = personal()
    address2: str | None = personal()
    city: str | None = personal()
    zip: str | None = personal()
    province: str | None = optional()
    country: str | None = optional()
    province_code: str | None = optional()
    country_code: str | None = optional()
    country_name: str | None = optional()
    phone: str | None = personal()
    latitude: str | float | None = personal()
    longitude: str | float | None = personal()
    id: int | None = personal()
    customer_id: int | None = personal(subject=True)
    default: bool | None = optional()


class Customer(Nested):
    """The buyer as of the order's last change; absent for guests and after redaction."""

    id: int | None = personal(subject=True)
    email: str | None = personal(subject=True)
    accepts_marketing: bool | None = optional()
    created_at: str | None = optional()
    updated_at: str | None = optional()
    first_name: str | None = personal()
    last_name: str | None = personal()
    orders_count: int | None = optional()
    state: str | None = optional()
    total_spent: str | float | None = optional()
    last_order_id: int | None = optional()
    note: str | None = personal()
    verified_email: bool | None = optional()
    multipass_identifier: str | None = personal()
    tax_exempt: bool | None = optional()
    phone: str | None = personal()
    tags: str | None = optional()
    last_order_name: str | None = optional()
    currency: str | None = optional()
    accepts_marketing_updated_at: str | None = optional()
    marketing_opt_in_level: str | None = optional()
    admin_graphql_api_id: str | None = optional()
    default_address: Address | None = optional()
    email_marketing_consent: dict[str, JsonValue] | None = optional()
    sms_marketing_consent: dict[str, JsonValue] | None = optional()
    tax_exemptions: list[str] | None = optional()


class Order(LandedRecord):
    """Wire form of an order.

    Source: REST Admin API, `orders.json`. Money is a decimal string in major units of `currency`
    (the shop's); moments are ISO 8601 with the shop's offset.
    """

    id: int | None = optional()
    admin_graphql_api_id: str | None = optional()
    app_id: int | None = optional()
    browser_ip: str | None = personal()
    buyer_accepts_marketing: bool | None = optional()
    cancel_reason: str | None = optional()
    cancelled_at: str | None = optional()
    deleted_at: str | None = optional(
        description="Set by the loader from the Events endpoint; `orders.json` drops the order."
    )
    cart_token: str | None = optional()
    checkout_id: int | None = optional()
    checkout_token: str | None = optional()
    client_details: ClientDetails | None = optional()
    closed_at: str | None = optional()
    company: str | None = personal()
    confirmed: bool | None = optional()
    confirmation_number: str | None = optional()
    contact_email: str | None = personal(subject=True)
    created_at: str | None = optional()
    currency: str | None = optional()
    current_subtotal_price: str | None = optional()
    current_subtotal_price_set: MoneySet | None = optional()
    current_total_discounts: str | None = optional()
    current_total_discounts_set: MoneySet | None = optional()
    current_total_duties_set: MoneySet | None = optional()
    current_total_price: str | None = optional()
    current_total_price_set: MoneySet | None = optional()
    current_total_tax: str | None = optional()
    current_total_tax_set: MoneySet | None = optional()
    current_total_additional_fees_set: MoneySet | None = optional()
    customer_locale: str | None = optional()
    device_id: str | None = personal()
    duties_included: bool | None = optional()
    discount_applications: list[dict[str, JsonValue]] | None = optional()
    discount_codes: list[dict[str, JsonValue]] | None = optional()
    email: str | None = personal(subject=True)
    estimated_taxes: bool | None = optional()
    financial_status: str | None = optional()
    fulfillment_status: str | None = optional()
    landing_site: str | None = optional()
    landing_site_ref: str | None = optional()
    location_id: int | None = optional()
    merchant_of_record_app_id: str | None = optional()
    merchant_business_entity_id: str | None = optional()
    name: str | None = optional()
    note: str | None = personal()
    note_attributes: list[dict[str, JsonValue]] | None = optional()
    number: int | None = optional()
    order_number: int | None = optional()
    order_status_url: str | None = personal()
    original_total_duties_set: MoneySet | None = optional()
    original_total_additional_fees_set: MoneySet | None = optional()
    payment_gateway_names: list[str] | None = optional()
    payment_terms: dict[str, JsonValue] | None = optional()
    total_cash_rounding_payment_adjustment_set: MoneySet | None = optional()
    phone: str | None = personal()
    presentment_currency: str | None = optional()
    processed_at: str | None = optional()
    po_number: str | None = optional()
    reference: str | None = optional()
    referring_site: str | None = optional()
    source: str | None = optional(
        description="Beside `source_name` in records of 2014; later ones lack it."
    )
    source_identifier: str | None = optional()
    source_name: str | None = optional()
    source_url: str | None = optional()
    subtotal_price: str | None = optional()
    subtotal_price_set: MoneySet | None = optional()
    tags: str | None = optional()
    tax_exempt: bool | None = optional()
    tax_lines: list[dict[str, JsonValue]] | None = optional()
    taxes_included: bool | None = optional()
    test: bool | None = optional()
    token: str | None = optional()
    total_discounts: str | None = optional()
    total_discounts_set: MoneySet | None = optional()
    total_line_items_price: str | None = optional()
    total_line_items_price_set: MoneySet | None = optional()
    total_outstanding: str | None = optional()
    total_price: str | None = optional()
    total_price_set: MoneySet | None = optional()
    total_price_usd: str | None = optional()
    total_shipping_price_set: MoneySet | None = optional()
    total_tax: str | None = optional()
    total_tax_set: MoneySet | None = optional()
    total_tip_received: str | None = optional()
    total_weight: int | None = optional()
    updated_at: str | None = optional()
    user_id: int | None = optional()
    billing_address: Address | None = optional()
    customer: Customer | None = optional()
    discount_allocations: list[dict[str, JsonValue]] | None = optional()
    fulfillments: list[dict[str, JsonValue]] | None = optional()
    line_items: list[dict[str, JsonValue]] | None = optional()
    refunds: list[dict[str, JsonValue]] | None = optional()
    shipping_address: Address | None = optional()
    shipping_lines: list[dict[str, JsonValue]] | None = optional()
    gateway: str | None = optional()
    processing_method: str | None = optional()
    payment_details: dict[str, JsonValue] | None = personal()


class Product(LandedRecord):
    """Wire form of a product.

    Source: REST Admin API, `products.json`. Prices are decimal strings inside `variants`, in the
    shop's currency, which the product does not state; `tags` is one comma-separated string.
    """

    published_at: str | None = optional()
    created_at: str | None = optional()
    published_scope: str | None = optional()
    status: str | None = optional()
    vendor: str | None = optional()
    updated_at: str | None = optional()
    body_html: str | None = optional()
    product_type: str | None = optional()
    tags: str | None = optional()
    options: list[dict[str, JsonValue]] | None = optional()
    image: dict[str, JsonValue] | None = optional()
    handle: str | None = optional()
    images: list[dict[str, JsonValue]] | None = optional()
    template_suffix: str | None = optional()
    title: str | None = optional()
    variants: list[dict[str, JsonValue]] | None = optional()
    admin_graphql_api_id: str | None = optional()
    id: int | None = optional()
