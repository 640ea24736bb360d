"""What can be read as a document: definitions of models, and how source shapes changed."""

from typing import Any

from mcp_types import Resource, ResourceTemplate

from martlet.api.formats import as_json, rows_of
from martlet.api.observations import MAX_ROWS, Bounds, observe
from martlet.api.serving import Serving
from martlet.errors import nearest
from martlet.mcp.answers import MAX_BYTES
from martlet.mcp.tools import Asking, Pool
from martlet.semantic.errors import QueryRefusedError, UnknownModelError

MEDIA_TYPE = "application/json"
MODELS = "martlet://models/"
SCHEMA_HISTORY = "martlet://schema-history"
_SUBJECT = "schema-history"
# Whole columns of every version are for who asks about one table.
_COLUMNS = "columns"

TEMPLATES = (
    ResourceTemplate(
        name="model",
        title="Definition of a model",
        uri_template="martlet://models/{model}",
        description="What each dimension and measure of a model means, and which days it has.",
        mime_type=MEDIA_TYPE,
    ),
    ResourceTemplate(
        name="schema_history_of_source",
        title="Shapes of one source",
        uri_template="martlet://schema-history/{platform}/{object}",
        description="Every shape that one object of a source landed in, with all its columns.",
        mime_type=MEDIA_TYPE,
    ),
)


class UnknownResourceError(QueryRefusedError):
    """There is nothing at this address."""

    code = "not_found"


def scope_and_pool(uri: str) -> tuple[str, Pool]:
    """Return what reading an address needs, and where it is read."""
    if uri.startswith(SCHEMA_HISTORY):
        return "observability", "observability"
    return "query", "queries"


def list_resources(serving: Serving, asking: Asking) -> list[Resource]:
    """Return what the caller may read."""
    found = []
    if asking.principal.may("query"):
        found += [
            Resource(
                name=model["model"],
                title=f"Model {model['model']}",
                uri=f"{MODELS}{model['model']}",
                description=model["description"],
                mime_type=MEDIA_TYPE,
            )
            for model in serving.service.models(asking.tenant)["models"]
        ]
    if asking.principal.may("observability"):
        found.append(
            Resource(
                name="schema_history",
                title="History of source shapes",
                uri=SCHEMA_HISTORY,
                description="When the columns of a landed table changed, and what was decided.",
                mime_type=MEDIA_TYPE,
            )
        )
    return found


def read_resource(serving: Serving, asking: Asking, uri: str) -> str:
    """Return a document as JSON; raises `UnknownResourceError`, and the errors of the service."""
    if uri.startswith(MODELS):
        try:
            return as_json(
                serving.service.describe(asking.tenant, uri.removeprefix(MODELS))
            ).decode()
        except UnknownModelError as error:
            raise UnknownResourceError(error.what) from error
    if uri == SCHEMA_HISTORY:
        return _schema_history(serving, asking, None)
    place = uri.removeprefix(f"{SCHEMA_HISTORY}/").split("/")
    if uri.startswith(SCHEMA_HISTORY) and len(place) == 2:
        return _schema_history(serving, asking, (place[0], place[1]))
    known = (SCHEMA_HISTORY, *(template.uri_template for template in TEMPLATES))
    raise UnknownResourceError(f"there is no such resource; {nearest(uri[:200], known)}")


def _schema_history(serving: Serving, asking: Asking, place: tuple[str, str] | None) -> str:
    bounds = Bounds(serving.limits.max_query_seconds, serving.limits.max_answer_bytes)
    content = observe(
        serving.operations, asking.tenant, _SUBJECT, limit=MAX_ROWS, cursor=None, bounds=bounds
    )
    assert content.table is not None
    names = content.table.column_names
    rows = [dict(zip(names, row, strict=True)) for row in rows_of(content.table)]
    if place:
        known = {(row["source_platform"], row["object"]) for row in rows}
        if place not in known:
            choices = [f"{SCHEMA_HISTORY}/{platform}/{object_}" for platform, object_ in known]
            asked = f"{SCHEMA_HISTORY}/{'/'.join(place)}"[:200]
            raise UnknownResourceError(f"no such source landed; {nearest(asked, choices)}")
        rows = [row for row in rows if (row["source_platform"], row["object"]) == place]
    else:
        rows = [{k: v for k, v in row.items() if k != _COLUMNS} for row in rows]
    return _shortened(
        {
            "data_version": content.version,
            "published_at": content.document["published_at"],
            "truncated": content.document["truncated"],
        },
        rows,
    )


def _shortened(document: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Return the document with as many of the rows, the newest first, as fit."""
    room, shown = MAX_BYTES - 256, []
    for row in rows:
        room -= len(as_json(row)) + 1
        if room < 0:
            document = document | {"truncated": True}
            break
        shown.append(row)
    return as_json(document | {"versions": shown}).decode()
