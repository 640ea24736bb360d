"""Records as LinkedIn's Marketing API (REST, versioned) sends them."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, Nested, optional, personal
from martlet.contracts.linkedin_ads.nested import EntityVersion, Locale, Money, RunSchedule


class AuditStamp(Nested):
    """Who changed an entity (the URN of a member) and when, in epoch milliseconds."""

    actor: str | None = personal()
    time: int | None = optional()


class ChangeAuditStamps(Nested):
    """First and latest change of an entity."""

    created: AuditStamp | None = optional()
    lastModified: AuditStamp | None = optional()


class BudgetOptimization(Nested):
    """States whether campaigns share the budget of their group (`DYNAMIC`)."""

    bidStrategy: str | None = optional()
    budgetOptimizationStrategy: str | None = optional()


class YearMonthDay(Nested):
    """A calendar day in UTC."""

    year: int | None = optional()
    month: int | None = optional()
    day: int | None = optional()


class DateRange(Nested):
    """First and last day of a row, both included."""

    start: YearMonthDay | None = optional()
    end: YearMonthDay | None = optional()


class CampaignGroup(LandedRecord):
    """Wire form of a campaign group, which other platforms call a campaign.

    Source: Marketing API, `adCampaignGroups`. Money is a decimal string in the account's currency,
    `account` a URN.
    """

    account: str | None = optional()
    allowedCampaignTypes: list[str] | None = optional()
    backfilled: bool | None = optional()
    budgetOptimization: BudgetOptimization | None = optional()
    changeAuditStamps: ChangeAuditStamps | None = optional()
    dailyBudget: Money | None = optional()
    id: int | None = optional()
    name: str | None = optional()
    objectiveType: str | None = optional()
    runSchedule: RunSchedule | None = optional()
    servingStatuses: list[str] | None = optional()
    status: str | None = optional()
    test: bool | None = optional()
    totalBudget: Money | None = optional()


class Campaign(LandedRecord):
    """Wire form of a campaign, which other platforms call an ad group.

    Source: Marketing API, `adCampaigns`. Money is a decimal string in the account's currency;
    `account` and `campaignGroup` are URNs, `id` is a bare number.
    """

    targetingCriteria: dict[str, JsonValue] | None = optional()
    servingStatuses: list[str] | None = optional()
    type: str | None = optional()
    locale: Locale | None = optional()
    version: EntityVersion | None = optional()
    associatedEntity: str | None = personal()
    runSchedule: RunSchedule | None = optional()
    optimizationTargetType: str | None = optional()
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
    changeAuditStamps: ChangeAuditStamps | None = optional()
    connectedTelevisionOnly: bool | None = optional()
    politicalIntent: str | None = optional()


class AnalyticsRow(LandedRecord):
    """What both reports have in common; source: Marketing API, `adAnalytics`, by day.

    Costs and conversion value are decimal strings in major units, counts are numbers. A metric
    without activity may be missing. `sponsoredAccount` is not in LinkedIn's answer: the loader
    copies the URN that it asked for.
    """

    dateRange: DateRange | None = optional()
    pivotValues: list[str] | None = optional()
    sponsoredAccount: str | None = optional()
    actionClicks: int | None = optional()
    adUnitClicks: int | None = optional()
    approximateMemberReach: int | None = optional()
    cardClicks: int | None = optional()
    cardImpressions: int | None = optional()
    clicks: int | None = optional()
    commentLikes: int | None = optional()
    comments: int | None = optional()
    companyPageClicks: int | None = optional()
    conversionValueInLocalCurrency: str | None = optional()
    costInLocalCurrency: str | None = optional()
    costInUsd: str | None = optional()
    documentCompletions: int | None = optional()
    documentFirstQuartileCompletions: int | None = optional()
    documentMidpointCompletions: int | None = optional()
    documentThirdQuartileCompletions: int | None = optional()
    downloadClicks: int | None = optional()
    externalWebsiteConversions: int | None = optional()
    externalWebsitePostClickConversions: int | None = optional()
    externalWebsitePostViewConversions: int | None = optional()
    follows: int | None = optional()
    fullScreenPlays: int | None = optional()
    impressions: int | None = optional()
    jobApplications: str | None = optional()
    jobApplyClicks: str | None = optional()
    landingPageClicks: int | None = optional()
    leadGenerationMailContactInfoShares: int | None = optional()
    leadGenerationMailInterestedClicks: int | None = optional()
    likes: int | None = optional()
    oneClickLeadFormOpens: int | None = optional()
    oneClickLeads: int | None = optional()
    opens: int | None = optional()
    otherEngagements: int | None = optional()
    postClickJobApplications: str | None = optional()
    postClickJobApplyClicks: str | None = optional()
    postClickRegistrations: str | None = optional()
    postViewJobApplications: str | None = optional()
    postViewJobApplyClicks: str | None = optional()
    postViewRegistrations: str | None = optional()
    reactions: int | None = optional()
    registrations: str | None = optional()
    sends: int | None = optional()
    shares: int | None = optional()
    talentLeads: int | None = optional()
    textUrlClicks: int | None = optional()
    totalEngagements: int | None = optional()
    validWorkEmailLeads: int | None = optional()
    videoCompletions: int | None = optional()
    videoFirstQuartileCompletions: int | None = optional()
    videoMidpointCompletions: int | None = optional()
    videoStarts: int | None = optional()
    videoThirdQuartileCompletions: int | None = optional()
    videoViews: int | None = optional()
    viralCardClicks: int | None = optional()
    viralCardImpressions: int | None = optional()
    viralClicks: int | None = optional()
    viralCommentLikes: int | None = optional()
    viralComments: int | None = optional()
    viralCompanyPageClicks: int | None = optional()
    viralDocumentCompletions: int | None = optional()
    viralDocumentFirstQuartileCompletions: int | None = optional()
    viralDocumentMidpointCompletions: int | None = optional()
    viralDocumentThirdQuartileCompletions: int | None = optional()
    viralDownloadClicks: int | None = optional()
    viralExternalWebsiteConversions: int | None = optional()
    viralExternalWebsitePostClickConversions: int | None = optional()
    viralExternalWebsitePostViewConversions: int | None = optional()
    viralFollows: int | None = optional()
    viralFullScreenPlays: int | None = optional()
    viralImpressions: int | None = optional()
    viralJobApplications: str | None = optional()
    viralJobApplyClicks: str | None = optional()
    viralLandingPageClicks: int | None = optional()
    viralLikes: int | None = optional()
    viralOneClickLeadFormOpens: int | None = optional()
    viralOneClickLeads: int | None = optional()
    viralOtherEngagements: int | None = optional()
    viralPostClickJobApplications: str | None = optional()
    viralPostClickJobApplyClicks: str | None = optional()
    viralPostClickRegistrations: str | None = optional()
    viralPostViewJobApplications: str | None = optional()
    viralPostViewJobApplyClicks: str | None = optional()
    viralPostViewRegistrations: str | None = optional()
    viralReactions: int | None = optional()
    viralRegistrations: str | None = optional()
    viralShares: int | None = optional()
    viralTotalEngagements: int | None = optional()
    viralVideoCompletions: int | None = optional()
    viralVideoFirstQuartileCompletions: int | None = optional()
    viralVideoMidpointCompletions: int | None = optional()
    viralVideoStarts: int | None = optional()
    viralVideoThirdQuartileCompletions: int | None = optional()
    viralVideoViews: int | None = optional()


class AdAnalytics(AnalyticsRow):
    """One day of one creative, pivots CREATIVE, CAMPAIGN, CAMPAIGN_GROUP in this order."""


class AdAnalyticsByCampaign(AnalyticsRow):
    """One day of one campaign, pivots CAMPAIGN, CAMPAIGN_GROUP in this order."""

    audiencePenetration: float | None = optional()
