"""Where each API states money and visits: what the audit reads of a landed record, as data."""

from dataclasses import dataclass

Paths = tuple[str, ...]


@dataclass(frozen=True)
class SpendReport:
    """Where one report states its spend: paths for each loader, the API's own first.

    Of several reports on one `entity`'s day the one of the lowest `rank` counts. `currency` is the
    row's; else that which the object `currency_of` states for the row's `reference`.
    """

    object: str
    amount: Paths
    divisor: int
    day: Paths
    entity: Paths
    rank: int = 1
    currency: Paths = ()
    reference: Paths = ()


@dataclass(frozen=True)
class CurrencyList:
    """An object that states currencies by an id."""

    object: str
    id: Paths
    currency: Paths


@dataclass(frozen=True)
class OrderTotals:
    """Where a shop states an order's total; an order that is `gone` is in no fact."""

    amount: Paths
    currency: Paths
    gone: Paths
    gone_values: tuple[str, ...] = ()  # none: any value


@dataclass(frozen=True)
class Visits:
    """What of an event says its visitor and session, in SQL over named texts.

    Without `session` sessions are made by pauses, and only their events can be compared.
    """

    texts: dict[str, Paths]
    visitor: str
    is_in_session: str
    session: str | None = None


_META = (
    SpendReport("facebook_insights", ("$.spend",), 1, ("$.date_start",), ("$.ad_id",),
                currency=("$.account_currency",)),
)  # fmt: skip
SPEND: dict[str, tuple[SpendReport, ...]] = {
    "facebook_ads": _META,
    "instagram_ads": _META,
    "google_ads": tuple(
        SpendReport(
            object_,
            ("$.metrics.costMicros", '$."metrics.cost_micros"'),
            1_000_000,
            ("$.segments.date", '$."segments.date"'),
            ("$.campaign.id", '$."campaign.id"'),
            rank,
            currency=("$.customer.currencyCode", '$."customer.currency_code"'),
            reference=(
                "$.customer.id",
                '$."customer.id"',
                "$.campaign.resourceName",
                '$."campaign.resource_name"',
            ),
        )
        for rank, object_ in ((1, "ad_performance"), (2, "campaigns"))
    ),
    "bing_ads": (
        SpendReport("ad_performance_report", ("$.Spend",), 1, ("$.TimePeriod",), ("$.AdId",),
                    currency=("$.CurrencyCode",)),
    ),
    "linkedin_ads": tuple(
        SpendReport(
            object_,
            ("$.costInLocalCurrency",),
            1,
            ("$.dateRange.start", "$.start_date", "$.end_date"),
            entity,
            rank,
            reference=entity,
        )
        for rank, object_, entity in (
            (1, "ad_analytics", ("$.pivotValues[1]",)),
            (2, "ad_analytics_by_campaign", ("$.pivotValues[0]", "$.string_of_pivot_values")),
        )
    ),
    "amazon_ads": (
        SpendReport("sponsored_products_advertised_product_report", ("$.cost", "$.spend"), 1,
                    ("$.date", "$.reportDate"), ("$.adId",),
                    currency=("$.campaignBudgetCurrencyCode",)),
    ),
    "tiktok_ads": (
        SpendReport("ads_reports_daily", ("$.metrics.spend",), 1,
                    ("$.dimensions.stat_time_day", "$.stat_time_day"),
                    ("$.dimensions.ad_id", "$.ad_id"), currency=("$.metrics.currency",)),
    ),
}  # fmt: skip
CURRENCIES = {
    "google_ads": CurrencyList(
        "customers",
        ("$.customer.id", '$."customer.id"'),
        ("$.customer.currencyCode", '$."customer.currency_code"'),
    ),
    "linkedin_ads": CurrencyList(
        "campaigns",
        ("$.id",),
        (
            "$.dailyBudget.currencyCode",
            "$.totalBudget.currencyCode",
            "$.unitCost.currencyCode",
        ),
    ),
}
ORDERS = {
    "shopify": OrderTotals(("$.total_price",), ("$.currency",), ("$.deleted_at",)),
    "bigcommerce": OrderTotals(
        ("$.total_inc_tax",),
        ("$.default_currency_code", "$.currency_code"),
        ("$.is_deleted",),
        ("true",),
    ),
    "woocommerce": OrderTotals(("$.total",), ("$.currency",), ("$.status",), ("trash",)),
}
_PARAMETERS = '[{"key":"VARCHAR","value":{"int_value":"VARCHAR","string_value":"VARCHAR"}}]'
_GA_SESSION = (
    f"list_transform(list_filter(from_json(params, '{_PARAMETERS}'), "
    "lambda e: e.key = 'ga_session_id'), "
    "lambda e: coalesce(e.value.int_value, e.value.string_value))[1]"
)
VISITS = {
    "google_analytics": Visits(
        {"visitor": ("$.user_pseudo_id",), "params": ("$.event_params",)},
        "visitor",
        f"visitor <> '' and {_GA_SESSION} <> ''",
        _GA_SESSION,
    ),
    "amplitude": Visits(
        {"visitor": ("$.amplitude_id",), "session": ("$.session_id",)},
        "visitor",
        "visitor <> '' and try_cast(session as bigint) > 0",
        "session",
    ),
    "mixpanel": Visits(
        {
            "device": ('$.properties."$device_id"', "$.device_id"),
            "person": ("$.properties.distinct_id", "$.distinct_id"),
            "moment": ("$.properties.time", "$.time"),
        },
        "coalesce(nullif(device, ''), nullif(person, ''))",
        "coalesce(nullif(device, ''), nullif(person, '')) is not null and moment is not null",
    ),
}
