"""Objects inside TikTok's ad groups and ads."""

from pydantic import JsonValue

from martlet.contracts.base import Nested, optional


class Action(Nested):
    """A behaviour that the ad group targets; `action_period` in days."""

    action_category_ids: list[JsonValue] | None = optional()
    action_period: float | None = optional()
    action_scene: str | None = optional()
    video_user_actions: list[str] | None = optional()


class TargetingExpansion(Nested):
    """Whether TikTok may target beyond the chosen audience."""

    expansion_enabled: bool | None = optional()
    expansion_types: list[str] | None = optional()


class DisclaimerText(Nested):
    """The words shown beneath the ad."""

    text: str | None = optional()


class UtmParameter(Nested):
    """One tracking parameter that TikTok appends to the landing page."""

    key: str | None = optional()
    value: str | None = optional()
