"""Records as the Amazon Ads API sends them: entities v3, reports v3."""

from pydantic import JsonValue

from martlet.contracts.amazon_ads.nested import Budget, DynamicBidding, ExtendedData
from martlet.contracts.base import LandedRecord, optional


class SponsoredProductsCampaign(LandedRecord):
    """Wire form of a campaign; source: Sponsored Products API v3, `/sp/campaigns/list`.

    Ids are strings, money is a number in major units of the profile's currency.
    `profileId` is not in Amazon's answer: the loader copies it from the request's scope.
    """

    profileId: int | None = optional()
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
    """Wire form of an ad group; source: Sponsored Products API v3, `/sp/adGroups/list`.

    Ids are strings, `defaultBid` is in major units of the profile's currency.
    `profileId` is not in Amazon's answer: the loader copies it from the request's scope.
    """

    profileId: int | None = optional()
    adGroupId: str | None = optional()
    name: str | None = optional()
    campaignId: str | None = optional()
    defaultBid: float | None = optional()
    state: str | None = optional()
    extendedData: ExtendedData | None = optional()


class SponsoredProductsProductAd(LandedRecord):
    """Wire form of a product ad; source: Sponsored Products API v3, `/sp/productAds/list`.

    An entity without any metric: what it cost is in the advertised product report.
    `profileId` is not in Amazon's answer: the loader copies it from the request's scope.
    """

    profileId: int | None = optional()
    adId: str | None = optional()
    campaignId: str | None = optional()
    customText: str | None = optional()
    asin: str | None = optional()
    state: str | None = optional()
    sku: str | None = optional()
    adGroupId: str | None = optional()
    extendedData: ExtendedData | None = optional()


class AdvertisedProductRow(LandedRecord):
    """Wire form of one advertised product and day; source: Reporting API v3, `spAdvertisedProduct`.

    Ids are numbers here, unlike in the entities. Money is in `campaignBudgetCurrencyCode`, in major
    units. Purchases, units and sales come once per attribution window: the 30 day figure contains
    the shorter ones. `profileId` is copied by the loader from the request's scope.
    """

    profileId: int | None = optional()
    date: str | None = optional()
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
    portfolioId: int | None = optional()
    advertisedSku: str | None = optional()
    campaignStatus: str | None = optional()
    campaignBudgetAmount: float | None = optional()
    campaignBudgetType: str | None = optional()
    spend: float | None = optional()
    costPerClick: float | None = optional()
    clickThroughRate: float | None = optional()
    salesOtherSku7d: float | None = optional()
    unitsSoldOtherSku7d: int | None = optional()
    addToList: int | None = optional()
    qualifiedBorrows: int | None = optional()
    royaltyQualifiedBorrows: int | None = optional()
    kindleEditionNormalizedPagesRead14d: int | None = optional()
    kindleEditionNormalizedPagesRoyalties14d: float | None = optional()
    acosClicks7d: float | None = optional()
    acosClicks14d: float | None = optional()
    roasClicks7d: float | None = optional()
    roasClicks14d: float | None = optional()
