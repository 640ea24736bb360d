"""The tools: what each one is for, takes, answers and needs. None of them changes anything."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

from mcp_types import Tool as ListedTool
from mcp_types import ToolAnnotations
from pydantic import BaseModel

from martlet.access.principal import Principal
from martlet.api.observations import Bounds
from martlet.api.schemas import ModelDocument, ModelList
from martlet.api.serving import Serving
from martlet.mcp.answers import (
    explore_url,
    freshness_document,
    tabular,
    values_query,
)
from martlet.mcp.arguments import (
    ComparisonArguments,
    ModelArguments,
    NoArguments,
    QueryArguments,
    SearchArguments,
    input_schema,
)
from martlet.mcp.health import PipelineHealth, pipeline_health
from martlet.mcp.schemas import LinkedAnswer, LinkedExplanation, ShortFreshness, output_schema
from martlet.semantic.answers import Answer, SourceFreshness
from martlet.semantic.errors import QueryRefusedError, TenantNotFoundError
from martlet.semantic.requests import Comparison, Query, ValueSearch

Pool = Literal["queries", "observability"]


class TimeRangeNeededError(QueryRefusedError):
    """A question about facts without days would be about all that ever happened."""

    code = "time_range_required"


@dataclass(frozen=True)
class Asking:
    """Who asks, and under which address the pages are found."""

    principal: Principal
    base_url: str
    request_id: str

    @property
    def tenant(self) -> str:
        return self.principal.tenant

    @property
    def may_see_personal(self) -> bool:
        return self.principal.may("pii")


@dataclass(frozen=True)
class Tool:
    """One tool. `run` blocks, and raises the errors of the service and the stores."""

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    answers: type[BaseModel]
    run: Callable[[Serving, Asking, Any], dict[str, Any]]
    scope: str = "query"
    pool: Pool = "queries"

    def listed(self) -> ListedTool:
        """Return it as clients see it."""
        return ListedTool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=input_schema(self.arguments),
            output_schema=output_schema(self.answers),
            annotations=ToolAnnotations(
                title=self.title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )


def _list_models(serving: Serving, asking: Asking, _: NoArguments) -> dict[str, Any]:
    return serving.service.models(asking.tenant)


def _describe_model(serving: Serving, asking: Asking, asked: ModelArguments) -> dict[str, Any]:
    return serving.service.describe(asking.tenant, asked.model)


def _query_metrics(serving: Serving, asking: Asking, asked: QueryArguments) -> dict[str, Any]:
    query = _query_of(asked)
    _need_days(serving, asking, query)

    def ask(limit: int) -> Answer:
        return serving.service.query(
            asking.tenant,
            query.model_copy(update={"limit": limit}),
            may_see_personal=asking.may_see_personal,
        )

    return tabular(ask, query.limit, explore_url(asking.base_url, asking.tenant, query))


def _compare_periods(
    serving: Serving, asking: Asking, asked: ComparisonArguments
) -> dict[str, Any]:
    comparison = Comparison(**_stated(asked), limit=asked.limit)
    shown = Query(
        model=asked.model,
        measures=asked.measures,
        dimensions=asked.dimensions,
        filters=asked.filters,
        time=asked.current,
        convert_to=asked.convert_to,
    )

    def ask(limit: int) -> Answer:
        return serving.service.compare(
            asking.tenant,
            comparison.model_copy(update={"limit": limit}),
            may_see_personal=asking.may_see_personal,
        )

    return tabular(ask, comparison.limit, explore_url(asking.base_url, asking.tenant, shown))


def _search_values(serving: Serving, asking: Asking, asked: SearchArguments) -> dict[str, Any]:
    search = ValueSearch(**_stated(asked), limit=asked.limit)
    shown = values_query(asked.model, asked.dimension, asked.search)

    def ask(limit: int) -> Answer:
        return serving.service.values(
            asking.tenant,
            search.model_copy(update={"limit": limit}),
            may_see_personal=asking.may_see_personal,
        )

    return tabular(ask, search.limit, explore_url(asking.base_url, asking.tenant, shown))


def _get_freshness(serving: Serving, asking: Asking, _: NoArguments) -> dict[str, Any]:
    return freshness_document(serving.service.freshness(asking.tenant))


def _explain_query(serving: Serving, asking: Asking, asked: QueryArguments) -> dict[str, Any]:
    query = _query_of(asked)
    _need_days(serving, asking, query)
    explained = serving.service.explain(
        asking.tenant, query, may_see_personal=asking.may_see_personal
    )
    return asdict(explained) | {"open_url": explore_url(asking.base_url, asking.tenant, query)}


def _get_pipeline_health(serving: Serving, asking: Asking, _: NoArguments) -> dict[str, Any]:
    bounds = Bounds(serving.limits.max_query_seconds, serving.limits.max_answer_bytes)
    return pipeline_health(
        serving.operations,
        asking.tenant,
        held=_held(serving, asking.tenant),
        bounds=bounds,
        open_url=f"{asking.base_url}/ui/{asking.tenant}/pipeline",
    )


def _held(serving: Serving, tenant: str) -> list[SourceFreshness]:
    try:
        return [s for s in serving.service.freshness(tenant).sources if s.is_held]
    except TenantNotFoundError:  # runs are told before anything is published
        return []


def _query_of(asked: QueryArguments) -> Query:
    """Return the question as every door asks it, so that its cursor is good at each of them."""
    return Query(**_stated(asked), limit=asked.limit)


def _stated(asked: BaseModel) -> dict[str, Any]:
    return asked.model_dump(exclude_unset=True, exclude={"limit"})


def _need_days(serving: Serving, asking: Asking, query: Query) -> None:
    if query.time and query.time.start and query.time.end:
        return
    document = serving.service.describe(asking.tenant, query.model)
    if document["time_dimension"] is None:
        return
    raise TimeRangeNeededError(
        f"model {query.model!r} needs a range of days, time.start and time.end",
        field="time",
        remedy=_days_of(document["first_day"], document["last_day"]),
    )


def _days_of(first: str | None, last: str | None) -> str:
    """Return which days there are data of, and how to ask for the last 30 of them."""
    if first is None or last is None:
        return "it has no data yet"
    start = max(first, (date.fromisoformat(last) - timedelta(days=29)).isoformat())
    example = f'"time": {{"start": "{start}", "end": "{last}"}}'
    return f"there are data from {first} to {last}, so for example {example}"


TOOLS: tuple[Tool, ...] = (
    Tool(
        "list_models",
        "List models",
        "Start here. Lists what can be asked: each model with its fields, its days, currencies and "
        "platforms. Models: ad_performance (paid ads), orders (shops), sessions (web analytics), "
        "campaigns, and blended (all of them side by side: MER, CAC, blended ROAS).",
        NoArguments,
        ModelList,
        _list_models,
    ),
    Tool(
        "describe_model",
        "Describe a model",
        "Says what each dimension and measure of a model means, its type and unit, and for which "
        "days there are data. Ask before the first query of a model.",
        ModelArguments,
        ModelDocument,
        _describe_model,
    ),
    Tool(
        "query_metrics",
        "Query metrics",
        "Computes measures by dimensions for a range of days. Facts need time.start and time.end. "
        "Rows are lists in the order of `columns`; a column says its unit, or in unit_column where "
        "each row's currency stands. Tell the reader the `warnings`, they change what the numbers "
        "mean. With `truncated`, ask the same again with cursor = next_cursor. open_url shows the "
        "same to a person.",
        QueryArguments,
        LinkedAnswer,
        _query_metrics,
    ),
    Tool(
        "compare_periods",
        "Compare two periods",
        "Computes the same measures for two ranges of days and their change: for each measure "
        "`m` the columns m, m_previous, m_change and m_change_ratio (0.1 is 10 % more). Without "
        "`previous` it compares with as many days just before.",
        ComparisonArguments,
        LinkedAnswer,
        _compare_periods,
    ),
    Tool(
        "search_values",
        "Search values of a dimension",
        "Finds how a campaign, a source or another value is spelled, the most frequent first. Use "
        "it before a filter on text.",
        SearchArguments,
        LinkedAnswer,
        _search_values,
    ),
    Tool(
        "get_freshness",
        "Get freshness",
        "Says up to when the data are complete (`as_of`), source by source, and which sources are "
        "held at their last good rows.",
        NoArguments,
        ShortFreshness,
        _get_freshness,
    ),
    Tool(
        "explain_query",
        "Explain a query",
        "Gives the SQL that query_metrics would run for the same arguments, without running it. "
        "For people who want to check a number; it is not needed to get one.",
        QueryArguments,
        LinkedExplanation,
        _explain_query,
    ),
    Tool(
        "get_pipeline_health",
        "Get the pipeline's health",
        "Says whether the data can be trusted now: last runs, failed models and tests, the newest "
        "audit, quarantine, changed source shapes. Ask it when numbers look odd or late. Needs the "
        "scope observability.",
        NoArguments,
        PipelineHealth,
        _get_pipeline_health,
        scope="observability",
        pool="observability",
    ),
)
TOOL_BY_NAME = {tool.name: tool for tool in TOOLS}
