"""Rows as `searchStream` of the Google Ads API returns them over REST: 64-bit integers are strings."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, Nested, optional


class CustomerResource(Nested):
    """An ad account: the only place that states currency and time zone."""

    autoTaggingEnabled: bool | None = optional()
    callReportingSetting: dict[str, JsonValue] | None = optional()
    conversionTrackingSetting: dict[str, JsonValue] | None = optional()
    currencyCode: str | None = optional()
    descriptiveName: str | None = optional()
    finalUrlSuffix: str | None = optional()
    hasPartnersBadge: bool | None = optional()
    id: str | None = optional()
    manager: bool | None = optional()
    optimizationScore: float | None = optional()
    optimizationScoreWeight: float | None = optional()
    payPerConversionEligibilityFailureReasons: list[str] | None = optional()
    remarketingSetting: dict[str, JsonValue] | None = optional()
    resourceName: str | None = optional()
    testAccount: bool | None = optional()
    timeZone: str | None = optional()
    trackingUrlTemplate: str | None = optional()
    status: str | None = optional()


class CampaignResource(Nested):
    """A campaign; the bidding strategy in use is the one message that is present."""

    accessibleBiddingStrategy: str | None = optional()
    adServingOptimizationStatus: str | None = optional()
    advertisingChannelSubType: str | None = optional()
    advertisingChannelType: str | None = optional()
    appCampaignSetting: dict[str, JsonValue] | None = optional()
    baseCampaign: str | None = optional()
    biddingStrategy: str | None = optional()
    biddingStrategyType: str | None = optional()
    campaignBudget: str | None = optional()
    commission: dict[str, JsonValue] | None = optional()
    dynamicSearchAdsSetting: dict[str, JsonValue] | None = optional()
    endDateTime: str | None = optional()
    excludedParentAssetFieldTypes: list[str] | None = optional()
    experimentType: str | None = optional()
    finalUrlSuffix: str | None = optional()
    frequencyCaps: list[dict[str, JsonValue]] | None = optional()
    geoTargetTypeSetting: dict[str, JsonValue] | None = optional()
    hotelSetting: dict[str, JsonValue] | None = optional()
    id: str | None = optional()
    labels: list[str] | None = optional()
    localCampaignSetting: dict[str, JsonValue] | None = optional()
    manualCpc: dict[str, JsonValue] | None = optional()
    manualCpm: dict[str, JsonValue] | None = optional()
    manualCpv: dict[str, JsonValue] | None = optional()
    maximizeConversionValue: dict[str, JsonValue] | None = optional()
    maximizeConversions: dict[str, JsonValue] | None = optional()
    name: str | None = optional()
    networkSettings: dict[str, JsonValue] | None = optional()
    optimizationGoalSetting: dict[str, JsonValue] | None = optional()
    optimizationScore: float | None = optional()
    paymentMode: str | None = optional()
    percentCpc: dict[str, JsonValue] | None = optional()
    realTimeBiddingSetting: dict[str, JsonValue] | None = optional()
    resourceName: str | None = optional()
    selectiveOptimization: dict[str, JsonValue] | None = optional()
    servingStatus: str | None = optional()
    shoppingSetting: dict[str, JsonValue] | None = optional()
    startDateTime: str | None = optional()
    status: str | None = optional()
    targetCpa: dict[str, JsonValue] | None = optional()
    targetCpm: dict[str, JsonValue] | None = optional()
    targetImpressionShare: dict[str, JsonValue] | None = optional()
    targetRoas: dict[str, JsonValue] | None = optional()
    targetSpend: dict[str, JsonValue] | None = optional()
    targetingSetting: dict[str, JsonValue] | None = optional()
    trackingSetting: dict[str, JsonValue] | None = optional()
    trackingUrlTemplate: str | None = optional()
    urlCustomParameters: list[dict[str, JsonValue]] | None = optional()
    vanityPharma: dict[str, JsonValue] | None = optional()
    videoBrandSafetySuitability: str | None = optional()
    startDate: str | None = optional()
    endDate: str | None = optional()


class CampaignBudgetResource(Nested):
    """The budget a campaign draws on; one shared budget serves several campaigns."""

    amountMicros: str | None = optional()
    id: str | None = optional()
    period: str | None = optional()
    explicitlyShared: bool | None = optional()
    resourceName: str | None = optional()


class AdGroupResource(Nested):
    """An ad group; bids are micros."""

    adRotationMode: str | None = optional()
    baseAdGroup: str | None = optional()
    campaign: str | None = optional()
    cpcBidMicros: str | None = optional()
    cpmBidMicros: str | None = optional()
    cpvBidMicros: str | None = optional()
    displayCustomBidDimension: str | None = optional()
    effectiveTargetCpaMicros: str | None = optional()
    effectiveTargetCpaSource: str | None = optional()
    effectiveTargetRoas: float | None = optional()
    effectiveTargetRoasSource: str | None = optional()
    excludedParentAssetFieldTypes: list[str] | None = optional()
    optimizedTargetingEnabled: bool | None = optional()
    finalUrlSuffix: str | None = optional()
    id: str | None = optional()
    labels: list[str] | None = optional()
    name: str | None = optional()
    percentCpcBidMicros: str | None = optional()
    resourceName: str | None = optional()
    status: str | None = optional()
    targetCpaMicros: str | None = optional()
    targetCpmMicros: str | None = optional()
    targetRoas: float | None = optional()
    targetingSetting: dict[str, JsonValue] | None = optional()
    trackingUrlTemplate: str | None = optional()
    type: str | None = optional()
    urlCustomParameters: list[dict[str, JsonValue]] | None = optional()


class AdResource(Nested):
    """The creative; its format is the one `...Ad` message that is present."""

    addedByGoogleAds: bool | None = optional()
    appAd: dict[str, JsonValue] | None = optional()
    appEngagementAd: dict[str, JsonValue] | None = optional()
    devicePreference: str | None = optional()
    displayUploadAd: dict[str, JsonValue] | None = optional()
    displayUrl: str | None = optional()
    expandedDynamicSearchAd: dict[str, JsonValue] | None = optional()
    expandedTextAd: dict[str, JsonValue] | None = optional()
    finalAppUrls: list[dict[str, JsonValue]] | None = optional()
    finalMobileUrls: list[str] | None = optional()
    finalUrlSuffix: str | None = optional()
    finalUrls: list[str] | None = optional()
    hotelAd: dict[str, JsonValue] | None = optional()
    id: str | None = optional()
    imageAd: dict[str, JsonValue] | None = optional()
    legacyAppInstallAd: dict[str, JsonValue] | None = optional()
    legacyResponsiveDisplayAd: dict[str, JsonValue] | None = optional()
    localAd: dict[str, JsonValue] | None = optional()
    name: str | None = optional()
    resourceName: str | None = optional()
    responsiveDisplayAd: dict[str, JsonValue] | None = optional()
    responsiveSearchAd: dict[str, JsonValue] | None = optional()
    shoppingComparisonListingAd: dict[str, JsonValue] | None = optional()
    shoppingProductAd: dict[str, JsonValue] | None = optional()
    shoppingSmartAd: dict[str, JsonValue] | None = optional()
    smartCampaignAd: dict[str, JsonValue] | None = optional()
    systemManagedResourceSource: str | None = optional()
    textAd: dict[str, JsonValue] | None = optional()
    trackingUrlTemplate: str | None = optional()
    type: str | None = optional()
    urlCollections: list[dict[str, JsonValue]] | None = optional()
    urlCustomParameters: list[dict[str, JsonValue]] | None = optional()
    videoAd: dict[str, JsonValue] | None = optional()
    videoResponsiveAd: dict[str, JsonValue] | None = optional()


class PolicySummary(Nested):
    """What the review of an ad found."""

    approvalStatus: str | None = optional()
    policyTopicEntries: list[dict[str, JsonValue]] | None = optional()
    reviewStatus: str | None = optional()


class AdGroupAdResource(Nested):
    """An ad in its ad group, which together identify it."""

    ad: AdResource | None = optional()
    policySummary: PolicySummary | None = optional()
    adGroup: str | None = optional()
    adStrength: str | None = optional()
    labels: list[str] | None = optional()
    resourceName: str | None = optional()
    status: str | None = optional()


class Metrics(Nested):
    """Figures of the row: 64-bit counts and micros are strings, ratios and conversions numbers."""

    clicks: str | None = optional()
    ctr: float | None = optional()
    conversions: float | None = optional()
    conversionsValue: float | None = optional()
    costMicros: str | None = optional()
    impressions: str | None = optional()
    videoTrueviewViews: str | None = optional()
    videoQuartileP100Rate: float | None = optional()
    activeViewCpm: float | None = optional()
    activeViewCtr: float | None = optional()
    activeViewImpressions: str | None = optional()
    activeViewMeasurability: float | None = optional()
    activeViewMeasurableCostMicros: str | None = optional()
    activeViewMeasurableImpressions: str | None = optional()
    activeViewViewability: float | None = optional()
    averageCost: float | None = optional()
    averageCpc: float | None = optional()
    averageCpm: float | None = optional()
    interactions: str | None = optional()
    interactionEventTypes: list[str] | None = optional()
    valuePerConversion: float | None = optional()
    costPerConversion: float | None = optional()
    trueviewAverageCpv: float | None = optional()
    interactionRate: float | None = optional()
    engagements: str | None = optional()
    engagementRate: float | None = optional()
    conversionsFromInteractionsRate: float | None = optional()
    conversionsByConversionDate: float | None = optional()
    allConversions: float | None = optional()
    allConversionsValue: float | None = optional()
    allConversionsFromInteractionsRate: float | None = optional()
    costPerAllConversions: float | None = optional()
    valuePerAllConversions: float | None = optional()
    crossDeviceConversions: float | None = optional()
    viewThroughConversions: str | None = optional()
    videoTrueviewViewRate: float | None = optional()
    videoQuartileP25Rate: float | None = optional()
    videoQuartileP50Rate: float | None = optional()
    videoQuartileP75Rate: float | None = optional()
    topImpressionPercentage: float | None = optional()
    absoluteTopImpressionPercentage: float | None = optional()


class Segments(Nested):
    """What the row is divided by; every segment that is present belongs to the key."""

    date: str | None = optional()
    hour: int | None = optional()
    adNetworkType: str | None = optional()
    dayOfWeek: str | None = optional()
    week: str | None = optional()
    month: str | None = optional()
    quarter: str | None = optional()
    year: int | None = optional()
    device: str | None = optional()


class CustomerRow(LandedRecord):
    """Wire form of an account; source: Google Ads API, `from customer`."""

    customer: CustomerResource | None = optional()
    segments: Segments | None = optional()


class CampaignRow(LandedRecord):
    """Wire form of a campaign, with metrics by day where segments are asked for."""

    customer: CustomerResource | None = optional()
    campaign: CampaignResource | None = optional()
    campaignBudget: CampaignBudgetResource | None = optional()
    metrics: Metrics | None = optional()
    segments: Segments | None = optional()


class AdGroupRow(LandedRecord):
    """Wire form of an ad group; source: Google Ads API, `from ad_group`."""

    customer: CustomerResource | None = optional()
    campaign: CampaignResource | None = optional()
    adGroup: AdGroupResource | None = optional()
    metrics: Metrics | None = optional()
    segments: Segments | None = optional()


class AdRow(LandedRecord):
    """Wire form of an ad; source: Google Ads API, `from ad_group_ad`."""

    customer: CustomerResource | None = optional()
    campaign: CampaignResource | None = optional()
    adGroup: AdGroupResource | None = optional()
    adGroupAd: AdGroupAdResource | None = optional()
    segments: Segments | None = optional()


class AdPerformanceRow(LandedRecord):
    """Wire form of one ad, day, network and device; source: `from ad_group_ad`.

    Money is in micros of the account's currency; conversions are fractional.
    """

    customer: CustomerResource | None = optional()
    campaign: CampaignResource | None = optional()
    adGroup: AdGroupResource | None = optional()
    adGroupAd: AdGroupAdResource | None = optional()
    metrics: Metrics | None = optional()
    segments: Segments | None = optional()
