"""Objects inside Meta's records that both published shapes share."""

from pydantic import JsonValue

from martlet.contracts.base import Nested, optional


class AdLabel(Nested):
    """A label that the advertiser attached."""

    id: str | None = optional()
    name: str | None = optional()
    created_time: str | None = optional()
    updated_time: str | None = optional()


class Creative(Nested):
    """The reference from an ad to its creative."""

    id: str | None = optional()
    creative_id: str | None = optional()


class PromotedObject(Nested):
    """What an ad set promotes: a pixel event, a page, an app or a catalogue."""

    custom_event_type: str | None = optional()
    pixel_id: str | None = optional()
    pixel_rule: str | None = optional()
    page_id: str | None = optional()
    object_store_url: str | None = optional()
    application_id: str | None = optional()
    product_set_id: str | None = optional()
    offer_id: str | None = optional()


class LearningStageInfo(Nested):
    """Whether delivery of an ad set has settled."""

    status: str | None = optional()
    conversions: int | None = optional()
    last_sig_edit_ts: int | None = optional(description="seconds since 1970")
    attribution_windows: list[str] | None = optional()


class CampaignIssue(Nested):
    """A reason why a campaign does not deliver."""

    error_code: int | str | None = optional()
    error_message: str | None = optional()
    error_summary: str | None = optional()
    error_type: str | None = optional()
    level: str | None = optional()


class Recommendation(Nested):
    """Meta's advice on an ad."""

    blame_field: str | None = optional()
    code: int | None = optional()
    confidence: str | None = optional()
    importance: str | None = optional()
    message: str | None = optional()
    title: str | None = optional()


class PlayCurve(Nested):
    """A video retention curve: one number for each interval of the film."""

    action_type: str | None = optional()
    value: list[JsonValue] | None = optional()
