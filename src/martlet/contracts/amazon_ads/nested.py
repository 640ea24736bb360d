"""Objects inside Sponsored Products entities, equal in every published shape."""

from pydantic import JsonValue

from martlet.contracts.base import Nested, optional


class Budget(Nested):
    """`budget` in major units of the profile's currency; `budgetType` is DAILY."""

    budget: float | None = optional()
    budgetType: str | None = optional()
    effectiveBudget: float | None = optional()


class PlacementBid(Nested):
    """`percentage` is added to the bid at this placement."""

    placement: str | None = optional()
    percentage: int | None = optional()


class DynamicBidding(Nested):
    """How Amazon may change bids."""

    strategy: str | None = optional()
    placementBidding: list[PlacementBid] | None = optional()


class ExtendedData(Nested):
    """Read-only state, sent when the request asks for it; moments are ISO 8601."""

    creationDateTime: str | None = optional()
    lastUpdateDateTime: str | None = optional()
    servingStatus: str | None = optional()
    servingStatusDetails: list[JsonValue] | None = optional()
