"""What can go wrong with a published mart, for those who open one."""

from martlet.errors import MartletError


class NothingPublishedError(MartletError):
    """The tenant has no published version; also where there is no such tenant."""


class VersionGoneError(MartletError):
    """The version that was asked for is not, or no longer, on disk."""


class MartDamagedError(MartletError):
    """The file of a version cannot be read as the mart that was published."""


class StoreUnreachableError(MartletError):
    """The object store of published marts does not answer, or refuses its keys."""


class PublishedMeanwhileError(MartletError):
    """Another machine changed what is published of the tenant since it was read here."""


class MartTimeoutError(MartletError):
    """A query was interrupted, because its time was over."""


class MartAnswerTooLargeError(MartletError):
    """The answer has more bytes than allowed, or the query needs more memory than there is."""


class MartQueryError(MartletError):
    """The mart refused a query: its SQL, or a value that does not fit; the cause says which."""
