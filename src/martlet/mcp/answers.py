"""Answers as documents that fit into a conversation: no more than so many bytes, and a link."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from martlet.api.formats import as_json, rows_of
from martlet.api.replies import answer_content, freshness_content
from martlet.semantic.answers import Answer, Caution, Freshness
from martlet.semantic.errors import AnswerTooLargeError
from martlet.semantic.requests import Condition, Query
from martlet.web.addresses import question_address

MAX_BYTES = 64 * 2**10
LONGEST_LINK = 8_000
_ROOM_FOR_BEING_CUT = 2_560  # a caution, and most cursors


def tabular(ask: Callable[[int], Answer], limit: int, open_url: str | None) -> dict[str, Any]:
    """Return the document of an answer; `ask` gives it for a number of rows.

    Where that many do not fit, it is asked for as many as do, so that `next_cursor` goes on right
    behind them. Raises `AnswerTooLargeError` where not even one row fits.
    """
    asked = limit
    while True:
        answer = ask(asked)
        document = answer_content(answer).document
        is_cut = asked < limit and answer.truncated
        if is_cut:
            caution = _cut(asked, can_go_on=answer.next_cursor is not None)
            document["warnings"].append(asdict(caution))
        document |= {"rows": [], "open_url": open_url}
        rows = rows_of(answer.table)
        room = MAX_BYTES - len(as_json(document))
        if _fitting(rows, room) == len(rows):
            return document | {"rows": rows}
        asked = _fitting(rows, room if is_cut else room - _ROOM_FOR_BEING_CUT)
        if asked < 1:
            raise AnswerTooLargeError("not even one row fits into an answer; ask for fewer fields")


def freshness_document(freshness: Freshness) -> dict[str, Any]:
    """Return how fresh every source is; where they are too many, the held and oldest ones."""
    document = freshness_content(freshness).document
    sources = sorted(
        document["sources"],
        key=lambda source: (
            (not source["is_held"], source["extracted_at"] is not None)
            + ((source["extracted_at"],) if source["extracted_at"] else ())
        ),
    )
    fitting = _fitting(sources, MAX_BYTES - len(as_json(document | {"sources": []})) - 64)
    shown = document["sources"] if fitting == len(sources) else sources[:fitting]
    return document | {"sources": shown, "truncated": fitting < len(sources)}


def explore_url(base_url: str, tenant: str, query: Query) -> str | None:
    """Return the page that shows a question, from its first row; None where it is too long."""
    url = f"{base_url}{question_address(tenant, query, cursor=None)}"
    return url if len(url) <= LONGEST_LINK else None


def values_query(model: str, dimension: str, search: str) -> Query:
    """Return the question that shows what a search for values finds."""
    found = [Condition(field=dimension, op="contains", value=search)] if search else []
    return Query(model=model, dimensions=[dimension], filters=found)


def _fitting(rows: Sequence[Any], room: int) -> int:
    """Return how many of the rows fit, commas included."""
    for place, row in enumerate(rows):
        room -= len(as_json(row)) + 1
        if room < 0:
            return place
    return len(rows)


def _cut(rows: int, *, can_go_on: bool) -> Caution:
    following = (
        "next_cursor gives those that follow"
        if can_go_on
        else "fewer fields, more filters or a smaller range of days give all of them"
    )
    return Caution(
        "cut_to_size",
        f"Only the first {rows:,} rows fit into the {MAX_BYTES // 2**10} KiB of one answer; "
        f"{following}.",
    )
