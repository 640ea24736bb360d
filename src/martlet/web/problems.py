"""What goes wrong, in words for a page."""

from dataclasses import dataclass, field

from martlet.api.problems import KINDS, ProblemError
from martlet.api.refusals import problem_of
from martlet.errors import MartletError


@dataclass
class PageError(Exception):
    """Ends a request with a page that says what is wrong and what to do."""

    status: int
    title: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.title)


_TITLES = {
    "tenant_not_found": "There is no such page",
    "unknown_model": "There is no such subject",
    "unknown_field": "There is no such field",
    "personal_field": "Personal data needs another key",
    "invalid_query": "This question cannot be answered as it stands",
    "currency_conversion_needed": "Name one currency",
    "exchange_rate_missing": "An exchange rate is missing",
    "cursor_expired": "These pages are of older data",
    "answer_too_large": "The answer is too large",
    "too_busy": "Everyone is asking at once",
    "rate_limited": "That was a lot of questions",
    "mart_unavailable": "The data cannot be read now",
    "access_unavailable": "Keys cannot be checked now",
    "query_timeout": "This took too long",
}
_TEXTS = {
    "too_busy": "All places for questions are taken. Try again in a moment.",
    "mart_unavailable": (
        "The published data of this tenant cannot be read. The last good version is not lost;"
        " whoever runs Martlet can see why in its log."
    ),
    "access_unavailable": "Whoever runs Martlet can see why in its log. Try again in a moment.",
    "query_timeout": "The question was stopped. Ask for fewer days or fewer fields.",
    "answer_too_large": "Ask for fewer rows, fewer days or fewer fields.",
}


def no_such_page() -> PageError:
    """Return the one answer for pages and tenants that are missing, foreign or unpublished."""
    return PageError(
        404,
        "There is no such page",
        "The address may be mistyped, or the page belongs to somebody else.",
        code="not_found",
    )


def page_error_of(error: MartletError) -> PageError | None:
    """Return the page for an error of the service; None where it is our own failure."""
    problem = problem_of(error)
    return page_error(problem) if problem else None


def page_error(problem: ProblemError) -> PageError:
    """Return the page for a problem as the API knows it."""
    if problem.code in ("tenant_not_found", "not_found"):
        return no_such_page()
    kind = KINDS[problem.code]
    return PageError(
        kind.status,
        _TITLES.get(problem.code, kind.title),
        _TEXTS.get(problem.code) or sentence(problem.detail),
        dict(problem.headers),
        problem.code,
    )


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"
