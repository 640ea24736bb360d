"""What the service refuses, and why: each error has a code that every door tells in its own way."""

from martlet.errors import BadInputError, MartletError


class QueryRefusedError(BadInputError):
    """The request cannot be answered as it stands. `code` is stable; `field` is where it is wrong.

    The message never holds SQL, and never a name that the asker may not know.
    """

    code = "invalid_query"

    def __init__(self, what: str, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what, where=field, remedy=remedy)
        self.field = field


class UnknownModelError(QueryRefusedError):
    """There is no such model."""

    code = "unknown_model"


class UnknownFieldError(QueryRefusedError):
    """The model has no such dimension or measure; the nearest valid name is in the message."""

    code = "unknown_field"


class PersonalFieldError(QueryRefusedError):
    """A filter or a search on personal data needs the scope `pii`."""

    code = "personal_field"


class ConversionNeededError(QueryRefusedError):
    """Money of several currencies would have to be put into one ratio."""

    code = "currency_conversion_needed"


class RateMissingError(QueryRefusedError):
    """No rate is known for a currency and day of the question, so there is no conversion."""

    code = "exchange_rate_missing"


class CursorExpiredError(QueryRefusedError):
    """The version that the cursor goes through is no longer kept."""

    code = "cursor_expired"


class TenantNotFoundError(MartletError):
    """The tenant has nothing published, or there is no such tenant: both are told alike."""

    code = "tenant_not_found"


class MartUnavailableError(MartletError):
    """The published mart is missing or damaged; the message names no path."""

    code = "mart_unavailable"


class QueryTimeoutError(MartletError):
    """The query took longer than it may and was interrupted."""

    code = "query_timeout"


class TooBusyError(MartletError):
    """All places for running queries are taken; `retry_after_seconds` is a whole number."""

    code = "too_busy"

    def __init__(self, what: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(what, remedy=f"try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class AnswerTooLargeError(MartletError):
    """The answer has more bytes than one answer may have."""

    code = "answer_too_large"
