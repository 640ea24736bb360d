"""WooCommerce orders and products as the REST API (v3) sends them."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, Nested, optional, personal


class Address(Nested):
    """A postal address; empty strings where the buyer left a line out."""

    first_name: str | None = personal()
    last_name: str | None = personal()
    company: str | None = personal()
    address_1: str | None = personal()
    address_2: str | None = personal()
    city: str | None = personal()
    state: str | None = optional()
    postcode: str | None = personal()
    country: str | None = optional(description="ISO 3166 alpha-2")
    phone: str | None = personal()


class Billing(Address):
    """The billing address: the only place of the order that holds the e-mail address."""

    email: str | None = personal(subject=True)


class Dimensions(Nested):
    """Sizes in the shop's unit, as strings."""

    length: str | None = optional()
    width: str | None = optional()
    height: str | None = optional()


class Order(LandedRecord):
    """Wire form of an order.

    Source: REST API v3, `/orders`. Money is a decimal string in major units of `currency`. Fields
    ending in `_gmt` are UTC without an offset, their namesakes the site's wall clock.
    """

    id: int | None = optional()
    parent_id: int | None = optional()
    number: str | None = optional()
    order_key: str | None = optional()
    created_via: str | None = optional()
    version: str | None = optional()
    status: str | None = optional()
    currency: str | None = optional()
    date_created: str | None = optional()
    date_created_gmt: str | None = optional()
    date_modified: str | None = optional()
    date_modified_gmt: str | None = optional()
    discount_total: str | None = optional()
    discount_tax: str | None = optional()
    shipping_total: str | None = optional()
    shipping_tax: str | None = optional()
    cart_tax: str | None = optional()
    total: str | None = optional()
    total_tax: str | None = optional()
    prices_include_tax: bool | None = optional()
    customer_id: int | None = personal(subject=True)
    customer_ip_address: str | None = personal()
    customer_user_agent: str | None = personal()
    customer_note: str | None = personal()
    billing: Billing | None = optional()
    shipping: Address | None = optional()
    payment_method: str | None = optional()
    payment_method_title: str | None = optional()
    transaction_id: str | None = optional()
    date_paid: str | None = optional()
    date_paid_gmt: str | None = optional()
    date_completed: str | None = optional()
    date_completed_gmt: str | None = optional()
    cart_hash: str | None = optional()
    meta_data: list[dict[str, JsonValue]] | None = optional()
    line_items: list[dict[str, JsonValue]] | None = optional()
    tax_lines: list[dict[str, JsonValue]] | None = optional()
    shipping_lines: list[dict[str, JsonValue]] | None = optional()
    fee_lines: list[dict[str, JsonValue]] | None = optional()
    coupon_lines: list[dict[str, JsonValue]] | None = optional()
    refunds: list[dict[str, JsonValue]] | None = optional()
    links: dict[str, JsonValue] | None = optional("_links")
    currency_symbol: str | None = optional()
    needs_payment: bool | None = optional()
    needs_processing: bool | None = optional()
    is_editable: bool | None = optional()
    payment_url: str | None = optional()


class Product(LandedRecord):
    """Wire form of a product.

    Source: REST API v3, `/products`. Prices are decimal strings in the shop's currency, which the
    product does not state, and empty where unset.
    """

    id: int | None = optional()
    name: str | None = optional()
    slug: str | None = optional()
    permalink: str | None = optional()
    date_created: str | None = optional()
    date_created_gmt: str | None = optional()
    date_modified: str | None = optional()
    date_modified_gmt: str | None = optional()
    type: str | None = optional()
    status: str | None = optional()
    catalog_visibility: str | None = optional()
    description: str | None = optional()
    short_description: str | None = optional()
    sku: str | None = optional()
    price: str | None = optional()
    regular_price: str | None = optional()
    sale_price: str | None = optional()
    date_on_sale_from: str | None = optional()
    date_on_sale_from_gmt: str | None = optional()
    date_on_sale_to: str | None = optional()
    date_on_sale_to_gmt: str | None = optional()
    price_html: str | None = optional()
    on_sale: bool | None = optional()
    purchasable: bool | None = optional()
    total_sales: int | None = optional()
    virtual: bool | None = optional()
    downloadable: bool | None = optional()
    downloads: list[dict[str, JsonValue]] | None = optional()
    download_limit: int | None = optional()
    download_expiry: int | None = optional()
    external_url: str | None = optional()
    button_text: str | None = optional()
    tax_status: str | None = optional()
    tax_class: str | None = optional()
    manage_stock: bool | None = optional()
    stock_quantity: int | None = optional()
    stock_status: str | None = optional()
    backorders: str | None = optional()
    backorders_allowed: bool | None = optional()
    backordered: bool | None = optional()
    sold_individually: bool | None = optional()
    weight: str | None = optional()
    dimensions: Dimensions | None = optional()
    shipping_required: bool | None = optional()
    shipping_taxable: bool | None = optional()
    shipping_class: str | None = optional()
    shipping_class_id: int | None = optional()
    reviews_allowed: bool | None = optional()
    average_rating: str | None = optional()
    rating_count: int | None = optional()
    related_ids: list[int] | None = optional()
    upsell_ids: list[int] | None = optional()
    cross_sell_ids: list[int] | None = optional()
    parent_id: int | None = optional()
    purchase_note: str | None = optional()
    categories: list[dict[str, JsonValue]] | None = optional()
    tags: list[dict[str, JsonValue]] | None = optional()
    images: list[dict[str, JsonValue]] | None = optional()
    attributes: list[dict[str, JsonValue]] | None = optional()
    default_attributes: list[dict[str, JsonValue]] | None = optional()
    variations: list[int] | None = optional()
    grouped_products: list[int] | None = optional()
    menu_order: int | None = optional()
    meta_data: list[dict[str, JsonValue]] | None = optional()
    featured: bool | None = optional()
    links: dict[str, JsonValue] | None = optional("_links")
