"""Records as Airbyte's Amazon Ads source types them."""

from pydantic import JsonValue

from martlet.contracts.amazon_ads.nested import Budget, DynamicBidding, ExtendedData
from martlet.contracts.base import LandedRecord, optional


class SponsoredProductsCampaign(LandedRecord):
    """A campaign as Airbyte lands it, without its profile; stream `sponsored_product_campaigns`."""

    portfolioId: str | None = optional()
    campaignId: str | None = optional()
    name: str | None = optional()
    tags: dict[str, JsonValue] | None = optional()
    targetingType: str | None = optional()
    state: str | None = optional()
    dynamicBidding: DynamicBidding | None = optional()
    startDate: str | None = optional()
    endDate: str | None = optional()
    budget: Budget | None = optional()
    extendedData: ExtendedData | None = optional()


class SponsoredProductsAdGroup(LandedRecord):
    """An ad group as Airbyte lands it, without its profile; stream `sponsored_product_ad_groups`."""

    adGroupId: str | None = optional()
    name: str | None = optional()
    campaignId: str | None = optional()
    defaultBid: float | None = optional()
    state: str | None = optional()
    extendedData: ExtendedData | None = optional()


class SponsoredProductsProductAd(LandedRecord):
    """A product ad as Airbyte lands it, without its profile; stream `sponsored_product_ads`."""

    adId: str | None = optional()
    campaignId: str | None = optional()
    customText: str | None = optional()
    asin: str | None = optional()
    state: str | None = optional()
    sku: str | None = optional()
    adGroupId: str | None = optional()
    extendedData: ExtendedData | None = optional()


class AdvertisedProductRow(LandedRecord):
    """One advertised product and day as Airbyte types it, with profile and report date added.

    Stream `sponsored_products_advertised_product_report_stream_daily`; money in major units.
    """

    date: str | None = optional()
    profileId: int | None = optional()
    reportDate: str | None = optional()
    adId: int | None = optional()
    campaignName: str | None = optional()
    campaignId: int | None = optional()
    adGroupName: str | None = optional()
    adGroupId: int | None = optional()
    impressions: int | None = optional()
    clicks: int | None = optional()
    cost: float | None = optional()
    campaignBudgetCurrencyCode: str | None = optional()
    advertisedAsin: str | None = optional()
    purchases1d: int | None = optional()
    purchases7d: int | None = optional()
    purchases14d: int | None = optional()
    purchases30d: int | None = optional()
    purchasesSameSku1d: int | None = optional()
    purchasesSameSku7d: int | None = optional()
    purchasesSameSku14d: int | None = optional()
    purchasesSameSku30d: int | None = optional()
    unitsSoldClicks1d: int | None = optional()
    unitsSoldClicks7d: int | None = optional()
    unitsSoldClicks14d: int | None = optional()
    unitsSoldClicks30d: int | None = optional()
    sales1d: float | None = optional()
    sales7d: float | None = optional()
    sales14d: float | None = optional()
    sales30d: float | None = optional()
    attributedSalesSameSku1d: float | None = optional()
    attributedSalesSameSku7d: float | None = optional()
    attributedSalesSameSku14d: float | None = optional()
    attributedSalesSameSku30d: float | None = optional()
    unitsSoldSameSku1d: int | None = optional()
    unitsSoldSameSku7d: int | None = optional()
    unitsSoldSameSku14d: int | None = optional()
    unitsSoldSameSku30d: int | None = optional()
