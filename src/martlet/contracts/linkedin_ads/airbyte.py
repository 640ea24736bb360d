"""Records as Airbyte's LinkedIn Ads source types them."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, optional, personal
from martlet.contracts.linkedin_ads.nested import EntityVersion, Locale, Money, RunSchedule


class Campaign(LandedRecord):
    """A campaign (others' ad group) as Airbyte types it; stream `campaigns`.

    `created` and `lastModified` are ISO 8601 strings, hoisted out of the audit stamps; run schedule
    and money keep their wire form.
    """

    targetingCriteria: dict[str, JsonValue] | None = optional()
    servingStatuses: list[str] | None = optional()
    type: str | None = optional()
    locale: Locale | None = optional()
    version: EntityVersion | None = optional()
    associatedEntity: str | None = personal()
    runSchedule: RunSchedule | None = optional()
    optimizationTargetType: str | None = optional()
    created: str | None = optional()
    lastModified: str | None = optional()
    campaignGroup: str | None = optional()
    dailyBudget: Money | None = optional()
    totalBudget: Money | None = optional()
    unitCost: Money | None = optional()
    creativeSelection: str | None = optional()
    costType: str | None = optional()
    name: str | None = optional()
    offsiteDeliveryEnabled: bool | None = optional()
    id: int | None = optional()
    audienceExpansionEnabled: bool | None = optional()
    test: bool | None = optional()
    account: str | None = optional()
    status: str | None = optional()
    storyDeliveryEnabled: bool | None = optional()
    pacingStrategy: str | None = optional()
    format: str | None = optional()
    objectiveType: str | None = optional()
    offsitePreferences: dict[str, JsonValue] | None = optional()


class AnalyticsRow(LandedRecord):
    """What both analytics streams have in common.

    Every metric is a number, costs included, so a cost may carry binary noise (99.99999999999996).
    `start_date` and `end_date` replace the wire form's `dateRange`.
    """

    actionClicks: float | None = optional()
    adUnitClicks: float | None = optional()
    approximateMemberReach: float | None = optional()
    cardClicks: float | None = optional()
    cardImpressions: float | None = optional()
    clicks: float | None = optional()
    commentLikes: float | None = optional()
    comments: float | None = optional()
    companyPageClicks: float | None = optional()
    conversionValueInLocalCurrency: float | None = optional()
    costInLocalCurrency: float | None = optional()
    costInUsd: float | None = optional()
    documentCompletions: float | None = optional()
    documentFirstQuartileCompletions: float | None = optional()
    documentMidpointCompletions: float | None = optional()
    documentThirdQuartileCompletions: float | None = optional()
    downloadClicks: float | None = optional()
    externalWebsiteConversions: float | None = optional()
    externalWebsitePostClickConversions: float | None = optional()
    externalWebsitePostViewConversions: float | None = optional()
    follows: float | None = optional()
    fullScreenPlays: float | None = optional()
    impressions: float | None = optional()
    jobApplications: float | None = optional()
    jobApplyClicks: float | None = optional()
    landingPageClicks: float | None = optional()
    leadGenerationMailContactInfoShares: float | None = optional()
    leadGenerationMailInterestedClicks: float | None = optional()
    likes: float | None = optional()
    oneClickLeadFormOpens: float | None = optional()
    oneClickLeads: float | None = optional()
    opens: float | None = optional()
    otherEngagements: float | None = optional()
    postClickJobApplications: float | None = optional()
    postClickJobApplyClicks: float | None = optional()
    postClickRegistrations: float | None = optional()
    postViewJobApplications: float | None = optional()
    postViewJobApplyClicks: float | None = optional()
    postViewRegistrations: float | None = optional()
    reactions: float | None = optional()
    registrations: float | None = optional()
    sends: float | None = optional()
    shares: float | None = optional()
    talentLeads: float | None = optional()
    textUrlClicks: float | None = optional()
    totalEngagements: float | None = optional()
    validWorkEmailLeads: float | None = optional()
    videoCompletions: float | None = optional()
    videoFirstQuartileCompletions: float | None = optional()
    videoMidpointCompletions: float | None = optional()
    videoStarts: float | None = optional()
    videoThirdQuartileCompletions: float | None = optional()
    videoViews: float | None = optional()
    viralCardClicks: float | None = optional()
    viralCardImpressions: float | None = optional()
    viralClicks: float | None = optional()
    viralCommentLikes: float | None = optional()
    viralComments: float | None = optional()
    viralCompanyPageClicks: float | None = optional()
    viralDocumentCompletions: float | None = optional()
    viralDocumentFirstQuartileCompletions: float | None = optional()
    viralDocumentMidpointCompletions: float | None = optional()
    viralDocumentThirdQuartileCompletions: float | None = optional()
    viralDownloadClicks: float | None = optional()
    viralExternalWebsiteConversions: float | None = optional()
    viralExternalWebsitePostClickConversions: float | None = optional()
    viralExternalWebsitePostViewConversions: float | None = optional()
    viralFollows: float | None = optional()
    viralFullScreenPlays: float | None = optional()
    viralImpressions: float | None = optional()
    viralJobApplications: float | None = optional()
    viralJobApplyClicks: float | None = optional()
    viralLandingPageClicks: float | None = optional()
    viralLikes: float | None = optional()
    viralOneClickLeadFormOpens: float | None = optional()
    viralOneClickLeads: float | None = optional()
    viralOtherEngagements: float | None = optional()
    viralPostClickJobApplications: float | None = optional()
    viralPostClickJobApplyClicks: float | None = optional()
    viralPostClickRegistrations: float | None = optional()
    viralPostViewJobApplications: float | None = optional()
    viralPostViewJobApplyClicks: float | None = optional()
    viralPostViewRegistrations: float | None = optional()
    viralReactions: float | None = optional()
    viralRegistrations: float | None = optional()
    viralShares: float | None = optional()
    viralTotalEngagements: float | None = optional()
    viralVideoCompletions: float | None = optional()
    viralVideoFirstQuartileCompletions: float | None = optional()
    viralVideoMidpointCompletions: float | None = optional()
    viralVideoStarts: float | None = optional()
    viralVideoThirdQuartileCompletions: float | None = optional()
    viralVideoViews: float | None = optional()
    start_date: str | None = optional()
    end_date: str | None = optional()
    pivotValues: list[str] | None = optional()
    string_of_pivot_values: str | None = optional()
    pivot: str | None = optional()


class AdAnalytics(AnalyticsRow):
    """One day of one creative; stream `ad_creative_analytics`."""

    sponsoredCreative: str | None = optional()


class AdAnalyticsByCampaign(AnalyticsRow):
    """One day of one campaign; stream `ad_campaign_analytics`."""

    sponsoredCampaign: str | None = optional()
