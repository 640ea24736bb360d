"""Objects inside LinkedIn's campaigns, equal in every published shape."""

from martlet.contracts.base import Nested, optional


class Money(Nested):
    """An amount as a decimal string, in the currency of the account."""

    amount: str | None = optional()
    currencyCode: str | None = optional()


class Locale(Nested):
    """Country in upper case, language in lower case."""

    country: str | None = optional()
    language: str | None = optional()


class RunSchedule(Nested):
    """Epoch milliseconds; `end` is exclusive, and absent for an open end."""

    start: int | None = optional()
    end: int | None = optional()


class EntityVersion(Nested):
    """Goes up by one with every change of the entity."""

    versionTag: str | None = optional()
