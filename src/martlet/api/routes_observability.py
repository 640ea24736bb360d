"""How the data came to be: runs, models, tests, shapes, loads, and what was refused."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from martlet.api.dependencies import (
    ObservabilityCaller,
    ServingDep,
    TabularMedia,
    only_parameters,
)
from martlet.api.observations import (
    DEFAULT_ROWS,
    LONGEST_CURSOR,
    MAX_ROWS,
    SUBJECTS,
    Bounds,
    observe,
)
from martlet.api.openapi import READING, tabular_responses
from martlet.api.problems import ProblemError
from martlet.api.replies import asked, reply
from martlet.api.schemas import Observed
from martlet.errors import nearest

router = APIRouter(prefix="/v1/{tenant}/observability", tags=["observability"])
SubjectName = Annotated[
    str,
    Path(
        description="What to look at.",
        json_schema_extra={"enum": list(SUBJECTS)},
        openapi_examples={"runs": {"value": "runs"}, "ledger": {"value": "ledger"}},
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="At most this many rows.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before.")
]


class Page(BaseModel):
    """Which rows of a snapshot; part of an answer's tag."""

    limit: int
    cursor: str | None


@router.get(
    "/{subject}",
    operation_id="observe",
    responses=tabular_responses(Observed, (*READING, "not_found", "cursor_expired")),
)
async def get_observations(
    request: Request,
    serving: ServingDep,
    caller: ObservabilityCaller,
    media: TabularMedia,
    subject: SubjectName,
    limit: Limit = DEFAULT_ROWS,
    cursor: Cursor = None,
) -> Response:
    """Give operational rows, the newest first, as of the tenant's last run."""
    if subject not in SUBJECTS:
        raise ProblemError("not_found", f"there is no such subject; {nearest(subject, SUBJECTS)}")
    only_parameters(request, "limit", "cursor")
    bounds = Bounds(serving.limits.max_query_seconds, serving.limits.max_answer_bytes)
    return await reply(
        asked(
            request,
            caller,
            f"observability/{subject}",
            media,
            Page(limit=limit, cursor=cursor),
        ),
        serving.observability,
        serving.operations.version,
        lambda: observe(
            serving.operations, caller.tenant, subject, limit=limit, cursor=cursor, bounds=bounds
        ),
    )
