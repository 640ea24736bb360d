"""What Martlet reads from the Amazon Ads API: Sponsored Products."""

from martlet.contracts.amazon_ads import airbyte, native
from martlet.contracts.base import Column, ColumnType, ObjectContract, Scope, Version


def _column(name: str, column_type: ColumnType, *fields: str) -> Column:
    """Return a column read from the first of `fields` that is not null."""
    return Column(name, column_type, tuple(f"$.{field}" for field in fields))


_ACCOUNT_ID = _column("account_id", "varchar", "profileId")
_STATE = (
    _column("status", "varchar", "state"),
    _column("serving_status", "varchar", "extendedData.servingStatus"),
    _column("serving_status_details", "json", "extendedData.servingStatusDetails"),
    _column("created_at", "timestamp", "extendedData.creationDateTime"),
    _column("modified_at", "timestamp", "extendedData.lastUpdateDateTime"),
)

_CAMPAIGNS = ObjectContract(
    object="sponsored_products_campaigns",
    versions=(
        Version("native", native.SponsoredProductsCampaign),
        Version("airbyte", airbyte.SponsoredProductsCampaign),
    ),
    columns=(
        _column("campaign_id", "varchar", "campaignId"),
        _ACCOUNT_ID,
        _column("portfolio_id", "varchar", "portfolioId"),
        _column("campaign_name", "varchar", "name"),
        _column("targeting_type", "varchar", "targetingType"),
        _column("start_date", "date", "startDate"),
        _column("end_date", "date", "endDate"),
        _column("budget", "decimal", "budget.budget"),
        _column("budget_type", "varchar", "budget.budgetType"),
        _column("effective_budget", "decimal", "budget.effectiveBudget"),
        _column("bidding_strategy", "varchar", "dynamicBidding.strategy"),
        _column("placement_bidding", "json", "dynamicBidding.placementBidding"),
        _column("tags", "json", "tags"),
        *_STATE,
    ),
    cursor="modified_at",
    key=("campaign_id",),
    needed=("campaign_id",),
)

_AD_GROUPS = ObjectContract(
    object="sponsored_products_ad_groups",
    versions=(
        Version("native", native.SponsoredProductsAdGroup),
        Version("airbyte", airbyte.SponsoredProductsAdGroup),
    ),
    columns=(
        _column("ad_group_id", "varchar", "adGroupId"),
        _column("campaign_id", "varchar", "campaignId"),
        _ACCOUNT_ID,
        _column("ad_group_name", "varchar", "name"),
        _column("default_bid", "decimal", "defaultBid"),
        *_STATE,
    ),
    cursor="modified_at",
    key=("ad_group_id",),
    needed=("ad_group_id", "campaign_id"),
)

_PRODUCT_ADS = ObjectContract(
    object="sponsored_products_product_ads",
    versions=(
        Version("native", native.SponsoredProductsProductAd),
        Version("airbyte", airbyte.SponsoredProductsProductAd),
    ),
    columns=(
        _column("ad_id", "varchar", "adId"),
        _column("ad_group_id", "varchar", "adGroupId"),
        _column("campaign_id", "varchar", "campaignId"),
        _ACCOUNT_ID,
        _column("asin", "varchar", "asin"),
        _column("sku", "varchar", "sku"),
        _column("custom_text", "varchar", "customText"),
        *_STATE,
    ),
    cursor="modified_at",
    key=("ad_id",),
    needed=("ad_id", "ad_group_id", "campaign_id"),
)

_ADVERTISED_PRODUCT_REPORT = ObjectContract(
    object="sponsored_products_advertised_product_report",
    versions=(
        Version("native", native.AdvertisedProductRow),
        Version("airbyte", airbyte.AdvertisedProductRow),
    ),
    columns=(
        _column("report_date", "date", "date", "reportDate"),
        _ACCOUNT_ID,
        _column("campaign_id", "varchar", "campaignId"),
        _column("campaign_name", "varchar", "campaignName"),
        _column("campaign_status", "varchar", "campaignStatus"),
        _column("campaign_budget", "decimal", "campaignBudgetAmount"),
        _column("ad_group_id", "varchar", "adGroupId"),
        _column("ad_group_name", "varchar", "adGroupName"),
        _column("ad_id", "varchar", "adId"),
        _column("advertised_asin", "varchar", "advertisedAsin"),
        _column("advertised_sku", "varchar", "advertisedSku"),
        _column("cost", "decimal", "cost", "spend"),
        _column("currency", "varchar", "campaignBudgetCurrencyCode"),
        _column("impressions", "bigint", "impressions"),
        _column("clicks", "bigint", "clicks"),
        *(_column(f"purchases_{days}d", "bigint", f"purchases{days}d") for days in (1, 7, 14, 30)),
        *(_column(f"sales_{days}d", "decimal", f"sales{days}d") for days in (1, 7, 14, 30)),
        *(
            _column(f"units_sold_{days}d", "bigint", f"unitsSoldClicks{days}d")
            for days in (1, 7, 14, 30)
        ),
        *(
            _column(f"same_sku_purchases_{days}d", "bigint", f"purchasesSameSku{days}d")
            for days in (14, 30)
        ),
        *(
            _column(f"same_sku_sales_{days}d", "decimal", f"attributedSalesSameSku{days}d")
            for days in (14, 30)
        ),
    ),
    cursor="report_date",
    key=("report_date", "campaign_id", "ad_group_id", "ad_id"),
    optional_key=("account_id",),
    load_mode="replace_scope",
    scope=Scope(account="account_id", date="report_date"),
    needed=("report_date", "campaign_id", "ad_group_id", "ad_id", "cost"),
)

CONTRACTS: tuple[ObjectContract, ...] = (
    _CAMPAIGNS,
    _AD_GROUPS,
    _PRODUCT_ADS,
    _ADVERTISED_PRODUCT_REPORT,
)
