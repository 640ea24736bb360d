"""Addresses for those who run the server: alive, ready, and what it counts."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from martlet.api.dependencies import ServingDep
from martlet.api.formats import as_json
from martlet.api.metrics import CONTENT_TYPE
from martlet.api.negotiation import JSON
from martlet.api.openapi import json_content, plain_responses
from martlet.api.problems import FieldError, ProblemError
from martlet.api.schemas import Health

router = APIRouter(tags=["health"])
_NOT_STORED = {"Cache-Control": "no-store"}


@router.get("/livez", operation_id="get_alive", responses=plain_responses(json_content(Health)))
async def get_alive() -> Response:
    """Say that the process answers."""
    return _ok()


@router.get(
    "/readyz",
    operation_id="get_ready",
    responses=plain_responses(json_content(Health), ("not_ready",)),
)
async def get_ready(serving: ServingDep) -> Response:
    """Say that keys can be checked and that something is published."""
    lacking = await serving.shortcomings()
    if lacking:
        errors = [FieldError("server", what) for what in lacking]
        raise ProblemError("not_ready", "; ".join(lacking), errors, {"Retry-After": "5"})
    return _ok(serving.stale())


@router.get(
    "/metrics",
    operation_id="get_metrics",
    responses=plain_responses({"text/plain": {"schema": {"type": "string"}}}),
)
async def get_metrics(serving: ServingDep) -> Response:
    """Give counts in Prometheus' text format."""
    return Response(
        serving.metrics.exposition(), headers={**_NOT_STORED, "Content-Type": CONTENT_TYPE}
    )


def _ok(warnings: Sequence[str] = ()) -> Response:
    document = {"status": "ok", "warnings": [*warnings]}
    return Response(as_json(document), headers=_NOT_STORED, media_type=JSON)
