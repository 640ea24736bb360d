"""What people read instead of slugs, codes and statuses."""

_PLATFORMS = {
    "bigcommerce": "BigCommerce",
    "bing_ads": "Microsoft (Bing) Ads",
    "linkedin_ads": "LinkedIn Ads",
    "tiktok_ads": "TikTok Ads",
    "woocommerce": "WooCommerce",
}
_MODELS = {
    "ad_performance": "Ad performance",
    "blended": "Ads, orders and sessions together",
    "campaigns": "Campaigns",
    "orders": "Orders",
    "sessions": "Sessions",
}
DOMAINS = {"paid_ads": "Advertising", "ecommerce": "Shop", "analytics": "Website"}
OPERATORS = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "not_contains": "does not contain",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "is_null": "has no value",
    "is_not_null": "has a value",
}
GRAINS = {
    "day": "by day",
    "week": "by week",
    "month": "by month",
    "quarter": "by quarter",
    "year": "by year",
}
SCOPES = {
    "query": "numbers",
    "observability": "pipeline and schemas",
    "pii": "personal data",
    "admin": "operator of all tenants",
}
# A verdict on a landed table: what it means, and how worried to be.
VERDICTS = {
    "exact": ("Known shape", "good"),
    "family": ("Known shape, types differ slightly; learned", "good"),
    "diff": ("Changed; accepted and learned", "warn"),
    "key_changed": ("A key column changed; held back", "bad"),
    "identity_conflict": ("Looks like another object; held back", "bad"),
    "unknown": ("Unknown shape; held back", "bad"),
    "unreadable": ("Unreadable; held back", "bad"),
}


def title_of(slug: str) -> str:
    """Return a slug as a title: `tyrell_corp` as `Tyrell Corp`."""
    return " ".join(part.capitalize() for part in slug.split("_") if part)


def platform_words(platform: str) -> str:
    """Return the name that people know a platform by."""
    return _PLATFORMS.get(platform, title_of(platform))


def model_words(model: str) -> str:
    """Return what a semantic model is called on a page."""
    return _MODELS.get(model, title_of(model))


def object_words(object_: str) -> str:
    """Return the name of a landed object, as `ad performance`."""
    return object_.replace("_", " ")


def source_words(platform: str, object_: str, connection: str = "main") -> str:
    """Return the name of a source; the usual connection goes without saying."""
    named = f"{platform_words(platform)}, {object_words(object_)}"
    return named if connection == "main" else f"{named} ({connection})"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return `1 row`, `2,000 rows`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
