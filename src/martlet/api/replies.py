"""From what the service answers to an HTTP response: its form, its tag, its headers."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from martlet.api.dependencies import Caller
from martlet.api.formats import CONTENT_TYPES, as_json, rendered, rows_of, warnings_header
from martlet.api.negotiation import JSON
from martlet.api.pool import BoundedPool
from martlet.api.questions import place_of
from martlet.api.tags import entity_tag, is_known
from martlet.semantic.answers import Answer, Freshness
from martlet.semantic.errors import QueryRefusedError

_ALWAYS = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}


@dataclass(frozen=True)
class Content:
    """What one data version answers: a document, and rows for its member `rows`."""

    version: str
    document: dict[str, Any]
    table: pa.Table | None = None


@dataclass(frozen=True)
class Asked:
    """One request: who, what, in which form; `known` is the header If-None-Match."""

    caller: Caller
    operation: str
    media: str
    known: str | None
    question: BaseModel | None = None

    def tag(self, version: str) -> str:
        """Return the tag of the answer that this version gives."""
        return entity_tag(
            self.caller.tenant,
            version,
            self.operation,
            self.question,
            self.media,
            may_see_personal=self.caller.may_see_personal,
        )


def asked(
    request: Request,
    caller: Caller,
    operation: str,
    media: str,
    question: BaseModel | None = None,
) -> Asked:
    """Return what a request asks."""
    known = request.headers.get("if-none-match")
    return Asked(caller, operation, media, known, question)


async def reply(
    asking: Asked,
    pool: BoundedPool,
    version_of: Callable[[str], str],
    work: Callable[[], Content],
) -> Response:
    """Return what `work` gives, or 304 without running it; both happen in the pool.

    `version_of` tells the tenant's current version.
    """

    def job() -> Response:
        if asking.known:
            tag = asking.tag(version_of(asking.caller.tenant))
            if is_known(asking.known, tag):
                return _unchanged(tag)
        try:
            content = work()
        except QueryRefusedError as error:
            error.field = place_of(asking.question, error)
            raise
        tag = asking.tag(content.version)
        if asking.known and asking.known.strip() == "*":
            return _unchanged(tag)
        return _response(content, asking.media, tag)

    return await pool.run(job)


def answer_content(answer: Answer) -> Content:
    """Return an answer of the service as it is told."""
    document = {
        "model": answer.model,
        "columns": [asdict(column) for column in answer.columns],
        "rows": None,
        "row_count": answer.table.num_rows,
        "truncated": answer.truncated,
        "next_cursor": answer.next_cursor,
        "data_version": answer.data_version,
        "freshness": _in_short(answer.freshness),
        "warnings": [asdict(warning) for warning in answer.warnings],
        "totals": answer.totals,
        **answer.extra,
    }
    return Content(answer.data_version, document, answer.table)


def freshness_content(freshness: Freshness) -> Content:
    """Return how fresh every source is."""
    document = {
        "data_version": freshness.data_version,
        "published_at": freshness.published_at,
        "as_of": freshness.as_of,
        "sources": [asdict(source) for source in freshness.sources],
    }
    return Content(freshness.data_version, document)


def _in_short(freshness: Freshness) -> dict[str, Any]:
    """Return when the answer's data are from, and which of its sources are held."""
    return {
        "data_version": freshness.data_version,
        "published_at": freshness.published_at,
        "as_of": freshness.as_of,
        "stale": [asdict(source) for source in freshness.sources if source.is_held],
    }


def _response(content: Content, media: str, tag: str) -> Response:
    headers = {**_ALWAYS, "ETag": tag, "Martlet-Data-Version": content.version}
    if content.table is None:
        return Response(as_json(content.document), headers=headers, media_type=JSON)
    if media == JSON:
        document = content.document | {"rows": rows_of(content.table)}
        return Response(as_json(document), headers=headers, media_type=JSON)
    headers |= _told(content.document)
    notes = {name: value for name, value in content.document.items() if name != "rows"}
    body = rendered(content.table, media, notes)
    return Response(body, headers={**headers, "Content-Type": CONTENT_TYPES.get(media, media)})


def _told(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what a form without room for it says in headers."""
    told = {"Martlet-Truncated": str(document["truncated"]).lower()}
    if document["next_cursor"]:
        told["Martlet-Next-Cursor"] = document["next_cursor"]
    if document.get("warnings"):
        told["Martlet-Warnings"] = warnings_header(document["warnings"])
    return told


def _unchanged(tag: str) -> Response:
    return Response(status_code=304, headers={**_ALWAYS, "ETag": tag})
