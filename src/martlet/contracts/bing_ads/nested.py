"""Objects inside Microsoft Advertising's records that both published shapes share."""

from martlet.contracts.base import Nested, optional


class Bid(Nested):
    """A bid in units of the account's currency."""

    Amount: float | None = optional()


class BidScheme(Nested):
    """How bids are set; `InheritedBidStrategyType` repeats the campaign's in an ad group."""

    Type: str | None = optional()
    MaxCpc: Bid | None = optional()
    InheritedBidStrategyType: str | None = optional()


class CalendarDay(Nested):
    """A calendar day in parts, in the campaign's time zone."""

    Day: int | None = optional()
    Month: int | None = optional()
    Year: int | None = optional()
