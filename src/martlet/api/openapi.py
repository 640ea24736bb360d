"""What the OpenAPI document says beyond the signatures: bodies, every response, examples."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from martlet.api.negotiation import ARROW, CSV, JSON, PARQUET
from martlet.api.problems import KINDS, MEDIA_TYPE
from martlet.api.schemas import DOCUMENTS, Problem
from martlet.semantic.requests import Comparison, Query, ValueSearch

QUESTIONS: tuple[type[BaseModel], ...] = (Query, Comparison, ValueSearch)
Responses = dict[int | str, dict[str, Any]]

_REF = "#/components/schemas/{model}"
_TEXT = {"type": "string"}
_HEADERS: Mapping[str, str] = {
    "X-Request-Id": "The caller's own id where it was harmless, else a new one.",
    "ETag": "Changes when the answer does; send it back as If-None-Match.",
    "Martlet-Data-Version": "The published version that was asked.",
    "Martlet-Truncated": "Forms other than JSON: whether there are more rows.",
    "Martlet-Next-Cursor": "Forms other than JSON: leads to the next rows.",
    "Martlet-Warnings": "Forms other than JSON: the warnings, as JSON.",
    "Retry-After": "Seconds after which to ask again.",
    "WWW-Authenticate": "How to present a key.",
    "Allow": "The methods that the address takes.",
}
_IN_EVERY_ANSWER = ("unauthorized", "scope_missing", "tenant_not_found", "not_acceptable")
_FROM_A_POOL = ("rate_limited", "too_busy", "mart_unavailable", "access_unavailable")
READING = (*_IN_EVERY_ANSWER, *_FROM_A_POOL, "method_not_allowed", "invalid_query", "query_timeout")
ASKING = (
    *READING,
    "malformed_json",
    "personal_field",
    "unknown_model",
    "cursor_expired",
    "unknown_field",
    "currency_conversion_needed",
    "exchange_rate_missing",
    "answer_too_large",
)
POSTING = (*ASKING, "body_too_large", "unsupported_media_type")


def json_responses(document: type[BaseModel], codes: Iterable[str]) -> Responses:
    """Return the responses of an address that gives one document."""
    return _responses({JSON: {"schema": _ref(document)}}, codes, ("Martlet-Data-Version", "ETag"))


def tabular_responses(document: type[BaseModel], codes: Iterable[str]) -> Responses:
    """Return the responses of an address that gives rows in four forms."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {JSON: {"schema": _ref(document)}, ARROW: binary, PARQUET: binary}
    content[CSV] = {"schema": _TEXT}
    told = ("Truncated", "Next-Cursor", "Warnings", "Data-Version")
    return _responses(content, codes, ("ETag", *(f"Martlet-{name}" for name in told)))


def plain_responses(content: Mapping[str, Any], codes: Iterable[str] = ()) -> Responses:
    """Return the responses of an address that nobody needs a key for."""
    return _responses(content, codes, (), is_tagged=False)


def json_content(document: type[BaseModel]) -> dict[str, Any]:
    """Return the content of a response that is one document."""
    return {JSON: {"schema": _ref(document)}}


def body(question: type[BaseModel], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an operation says of its body."""
    content = {JSON: {"schema": _ref(question), "examples": dict(examples)}}
    return {"requestBody": {"required": True, "content": content}}


def in_query(examples: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the examples of bodies as those of the parameter `query`."""
    return {
        name: {**example, "value": orjson.dumps(example["value"]).decode()}
        for name, example in examples.items()
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_schemas())
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema


def _responses(
    content: Mapping[str, Any],
    codes: Iterable[str],
    headers: Iterable[str],
    *,
    is_tagged: bool = True,
) -> Responses:
    found: Responses = {
        200: {
            "description": "The answer.",
            "content": dict(content),
            "headers": _headers(headers),
        }
    }
    if is_tagged:
        known = "The caller has this answer already: If-None-Match names its tag."
        found[304] = {"description": known, "headers": _headers(("ETag",))}
    by_status: dict[int, list[str]] = {}
    for code in (*codes, "internal_error"):
        by_status.setdefault(KINDS[code].status, []).append(code)
    for status, named in sorted(by_status.items()):
        found[status] = _problem(status, list(dict.fromkeys(named)))
    return found


def _problem(status: int, codes: list[str]) -> dict[str, Any]:
    told = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",)}
    examples = {
        code: {
            "value": {
                "type": f"urn:martlet:problem:{code}",
                "title": KINDS[code].title,
                "status": status,
                "detail": KINDS[code].title,
                "code": code,
                "request_id": "5f0c1d7a9be2c384",
            }
        }
        for code in codes
    }
    return {
        "description": "; ".join(KINDS[code].title for code in codes) + ".",
        "content": {MEDIA_TYPE: {"schema": _ref(Problem), "examples": examples}},
        "headers": _headers(told.get(status, ())),
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {
        name: {"description": _HEADERS[name], "schema": _TEXT} for name in ("X-Request-Id", *names)
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas() -> dict[str, Any]:
    _, asked = models_json_schema([(q, "validation") for q in QUESTIONS], ref_template=_REF)
    _, given = models_json_schema([(d, "validation") for d in DOCUMENTS], ref_template=_REF)
    schemas: dict[str, Any] = {**asked["$defs"], **given["$defs"]}
    for question in ("Query", "Comparison"):
        properties = schemas[question]["properties"]
        _add_forms(properties, "filters", _SHORT_FILTERS)
        _add_forms(properties, "order", _SHORT_ORDERS)
    return schemas


def _add_forms(properties: dict[str, Any], name: str, forms: list[dict[str, Any]]) -> None:
    """Add the short forms, which are read before the schema applies."""
    if name in properties:
        properties[name]["items"] = {"anyOf": [properties[name]["items"], *forms]}


_NAME = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z_][A-Za-z0-9_.]*$"}
_SHORT_FILTERS: list[dict[str, Any]] = [
    {
        "type": "array",
        "description": "[field, op] or [field, op, value]",
        "minItems": 2,
        "maxItems": 3,
        "prefixItems": [
            _NAME,
            {"$ref": "#/components/schemas/Condition/properties/op"},
            {"$ref": "#/components/schemas/Condition/properties/value"},
        ],
    }
]
_SHORT_ORDERS: list[dict[str, Any]] = [
    {"type": "string", "description": "field, or -field", "pattern": "^-?[A-Za-z_][A-Za-z0-9_.]*$"},
    {
        "type": "array",
        "description": "[field, direction]",
        "minItems": 2,
        "maxItems": 2,
        "prefixItems": [_NAME, {"enum": ["asc", "desc"]}],
    },
]
