"""What can be asked: the models, and how fresh their data are."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from martlet.api.dependencies import JsonMedia, QueryCaller, ServingDep, only_parameters
from martlet.api.examples import MODEL
from martlet.api.openapi import READING, json_responses
from martlet.api.replies import Content, asked, freshness_content, reply
from martlet.api.schemas import FreshnessReport, ModelDocument, ModelList

router = APIRouter(prefix="/v1/{tenant}", tags=["models"])
ModelName = Annotated[
    str,
    Path(description="The name of a model.", openapi_examples={"ads": {"value": MODEL}}),
]


@router.get("/models", operation_id="list_models", responses=json_responses(ModelList, READING))
async def list_models(
    request: Request, serving: ServingDep, caller: QueryCaller, media: JsonMedia
) -> Response:
    """List the models: what each one is about and spans."""
    only_parameters(request)

    def work() -> Content:
        document = serving.service.models(caller.tenant)
        return Content(document["data_version"], document)

    asking = asked(request, caller, "models", media)
    return await reply(asking, serving.queries, serving.service.version, work)


@router.get(
    "/models/{model}",
    operation_id="describe_model",
    responses=json_responses(ModelDocument, (*READING, "unknown_model")),
)
async def describe_model(
    request: Request, serving: ServingDep, caller: QueryCaller, media: JsonMedia, model: ModelName
) -> Response:
    """Describe one model: its dimensions, measures, days and currencies."""
    only_parameters(request)

    def work() -> Content:
        document = serving.service.describe(caller.tenant, model)
        return Content(document["data_version"], document)

    asking = asked(request, caller, f"models/{model}", media)
    return await reply(asking, serving.queries, serving.service.version, work)


@router.get(
    "/freshness",
    operation_id="get_freshness",
    responses=json_responses(FreshnessReport, READING),
)
async def get_freshness(
    request: Request, serving: ServingDep, caller: QueryCaller, media: JsonMedia
) -> Response:
    """Say when each source was extracted, pushed, and whether it is held."""
    only_parameters(request)

    return await reply(
        asked(request, caller, "freshness", media),
        serving.queries,
        serving.service.version,
        lambda: freshness_content(serving.service.freshness(caller.tenant)),
    )
