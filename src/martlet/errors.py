"""The errors that a person reads: what failed, where, the value, the valid choices, the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches


class MartletError(Exception):
    """Base of every error raised on purpose; the command line prints it and exits with `exit_code`.

    `exit_code` 1: the work failed or a promise is broken. Subclasses of `BadInputError` exit with 2
    and guarantee that nothing was written.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        located = f"{self.where}: {self.what}" if self.where else self.what
        return f"{located}\n  remedy: {self.remedy}" if self.remedy else located


class BadInputError(MartletError):
    """What the user gave cannot be used; nothing was written."""

    exit_code = 2


class BrokenPromiseError(MartletError):
    """Conservation, isolation or replay does not hold; the message names the load."""


def nearest(value: str, choices: Iterable[str]) -> str:
    """Return a sentence with the nearest of `choices` to `value`, or all of them, sorted."""
    known = sorted(choices)
    close = get_close_matches(value.lower(), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"valid: {', '.join(known)}" if known else "there is none"
