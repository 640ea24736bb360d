"""Why a question has no answer, in words from which the next question can be put right."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import CallToolResult, TextContent

from martlet.api.problems import KINDS, ProblemError
from martlet.api.refusals import problem_of
from martlet.errors import MartletError
from martlet.semantic.errors import QueryRefusedError

# What to do next, by code; what went wrong stands before it.
_NEXT: Mapping[str, str] = {
    "unknown_model": "list_models gives the models.",
    "unknown_field": "describe_model gives the fields of a model.",
    "cursor_expired": "Ask again without cursor.",
    "unauthorized": "The key must be replaced; asking again does not help.",
    "answer_too_large": "A smaller range of days, fewer dimensions or more filters help.",
    "query_timeout": "A smaller range of days or fewer dimensions help.",
}


@dataclass(frozen=True)
class Refusal:
    """What is told; `code` is stable. `retry_after_seconds` where asking again will help."""

    code: str
    message: str
    retry_after_seconds: int | None = None

    @property
    def text(self) -> str:
        parts = [f"{self.code}: {_sentence(self.message)}", _NEXT.get(self.code, "")]
        if self.retry_after_seconds and "ask again" not in self.message:
            parts.append(f"Ask again in {self.retry_after_seconds} s.")
        return " ".join(filter(None, parts))

    @property
    def data(self) -> dict[str, Any]:
        """Return what a program reads of it."""
        seconds = self.retry_after_seconds
        return {"code": self.code} | ({"retry_after_seconds": seconds} if seconds else {})

    def result(self) -> CallToolResult:
        """Return it as the result of a tool, which the model gets to read."""
        content = TextContent(type="text", text=self.text)
        return CallToolResult(content=[content], is_error=True, _meta=self.data)


def refusal_of(error: MartletError | ProblemError) -> Refusal | None:
    """Return what is told of an error; None where it is our own failure."""
    if isinstance(error, QueryRefusedError):
        return Refusal(error.code, _located(error))
    problem = error if isinstance(error, ProblemError) else problem_of(error)
    if problem is None:
        return None
    seconds = problem.headers.get("Retry-After")
    return Refusal(problem.code, _detail(problem), int(seconds) if seconds else None)


def is_ours(code: str) -> bool:
    """Say whether a refusal is the server's trouble, not the question's."""
    return code in KINDS and KINDS[code].status in {500, 503}


def _located(error: QueryRefusedError) -> str:
    where = f"{error.field}: " if error.field and error.field not in error.what else ""
    return f"{where}{error.what}" + (f"; {error.remedy}" if error.remedy else "")


def _detail(problem: ProblemError) -> str:
    if len(problem.errors) < 2:
        return problem.detail
    return "; ".join(f"{found.field}: {found.message}" for found in problem.errors)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."
