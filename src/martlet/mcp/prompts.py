"""Questions that come up every week, as prompts: which tools to ask, in which order, for what."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mcp_types import GetPromptResult, Prompt, PromptArgument, PromptMessage, TextContent

from martlet.api.serving import Serving
from martlet.errors import nearest
from martlet.mcp.tools import Asking
from martlet.semantic.errors import QueryRefusedError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_BLENDED = "blended"
_ADS = "ad_performance"


class PromptRefusedError(QueryRefusedError):
    """There is no such prompt, or an argument of it cannot be used."""

    code = "invalid_prompt"


@dataclass(frozen=True)
class Recipe:
    """One prompt; `write` gets the models' documents and the arguments."""

    listed: Prompt
    write: Callable[[Mapping[str, Any], Mapping[str, str]], str]


def get_prompt(
    serving: Serving, asking: Asking, name: str, arguments: Mapping[str, str]
) -> GetPromptResult:
    """Return the messages of a prompt, its days chosen from the data that there are."""
    recipe = RECIPES.get(name)
    if recipe is None:
        raise PromptRefusedError(f"there is no prompt {name[:100]!r}; {nearest(name, RECIPES)}")
    known = [argument.name for argument in recipe.listed.arguments or ()]
    for argument in arguments:
        if argument not in known:
            raise PromptRefusedError(
                f"there is no argument {argument[:100]!r}; {nearest(argument, known)}"
            )
    models = {each["model"]: each for each in serving.service.models(asking.tenant)["models"]}
    text = recipe.write(models, {name: value for name, value in arguments.items() if value})
    message = PromptMessage(role="user", content=TextContent(type="text", text=text))
    return GetPromptResult(description=recipe.listed.description, messages=[message])


def _weekly_review(models: Mapping[str, Any], arguments: Mapping[str, str]) -> str:
    end = _day(arguments.get("week_ending"), "week_ending") or _last_sunday(models)
    start = end - timedelta(days=6)
    currency = arguments.get("currency")
    if currency and not _CURRENCY.fullmatch(currency):
        raise PromptRefusedError("currency is an ISO 4217 code, such as EUR", field="currency")
    convert = f', convert_to "{currency}"' if currency else ""
    hint = "" if currency else " If amounts have several currencies, choose one as convert_to."
    week = f'current {{"start": "{start}", "end": "{end}"}}{convert}'

    def measures(model: str, *wanted: str) -> str:
        has = models.get(model, {}).get("measures", ())
        return f"model {model}, measures {', '.join(name for name in wanted if name in has)}"

    return f"""\
Write the marketing review of the week from {start} to {end}, against the week before.

1. get_freshness: if as_of is before {end + timedelta(days=1)}, say which sources are missing
   and that the week may still grow.
2. compare_periods, {measures(_BLENDED, "spend", "revenue", "mer", "cac", "orders", "sessions")},
   {week}.{hint}
3. compare_periods, {measures(_ADS, "spend", "clicks", "ctr", "cpc")},
   dimensions source_platform, {week}.
4. compare_periods, {measures(_ADS, "spend", "clicks")},
   dimensions source_platform, campaigns.campaign_name, limit 20, {week}.
5. compare_periods, {measures("sessions", "session_count", "session_conversion_rate")},
   dimensions traffic_source, limit 10, {week}.

Then write, for a reader who has three minutes:
- one sentence on how the week went, with spend, revenue and MER;
- what changed most and where: platform and campaign, the amount, the change in per cent;
- what to look into next week, at most three points.

Give each number with its unit and currency. Repeat every warning of an answer in your own
words: it says what the number does not mean. Never add up conversions of several platforms:
each claims its own. A small base makes large percentages, so name the base. End with the
open_url of step 2."""


def _anomaly_check(models: Mapping[str, Any], arguments: Mapping[str, str]) -> str:
    model = arguments.get("model", _ADS)
    if model not in models:
        raise PromptRefusedError(
            f"there is no model {model[:100]!r}; {nearest(model, models)}", field="model"
        )
    stated = models[model]
    measure = arguments.get("measure") or stated["measures"][0]
    if measure not in stated["measures"]:
        raise PromptRefusedError(
            f"model {model!r} has no measure {measure[:100]!r}; "
            f"{nearest(measure, stated['measures'])}",
            field="measure",
        )
    if stated["time_dimension"] is None:
        raise PromptRefusedError(f"model {model!r} has no days to compare", field="model")
    end = _newest(stated)
    recent = f'{{"start": "{end - timedelta(days=6)}", "end": "{end}"}}'
    usual = f'{{"start": "{end - timedelta(days=34)}", "end": "{end}", "grain": "day"}}'
    return f"""\
Look for anomalies of {measure} in the model {model} in the 7 days up to {end}.

1. get_pipeline_health and get_freshness: a failed run, a held source or late data explains
   more odd numbers than the market does. Say so first if there is one.
2. query_metrics, model {model}, measures {measure}, limit 100,
   time {usual}. Compare each of the last
   7 days with the same weekday of the four weeks before. More than twice the usual spread of
   those days is odd; a weekend is not.
3. For what is odd: describe_model {model}, then compare_periods, measures {measure},
   current {recent}, by one dimension after the other
   (platform first, then campaign or source), until one value explains most of the change.
4. Check with a second measure of the model whether it is one number or the business.

Report each anomaly with day, value, usual value, what explains it, and how sure you are. If
nothing is odd, say so in one sentence. Repeat the warnings of the answers where they matter. Do
not name causes that the numbers do not show."""


def _day(stated: str | None, argument: str) -> date | None:
    if stated is None:
        return None
    try:
        if _DAY.fullmatch(stated):
            return date.fromisoformat(stated)
    except ValueError:
        pass
    raise PromptRefusedError(f"{argument} is a day as YYYY-MM-DD", field=argument)


def _last_sunday(models: Mapping[str, Any]) -> date:
    """Return the end of the last whole week that there are data of."""
    newest = _newest(models.get(_BLENDED, {}))
    return newest - timedelta(days=(newest.weekday() + 1) % 7)


def _newest(model: Mapping[str, Any]) -> date:
    last = model.get("last_day")
    if last is None:
        raise PromptRefusedError("there are no data yet")
    return date.fromisoformat(last)


RECIPES: Mapping[str, Recipe] = {
    "weekly_review": Recipe(
        Prompt(
            name="weekly_review",
            title="Weekly marketing review",
            description="Spend, revenue and efficiency of a week against the week before, by "
            "platform and campaign.",
            arguments=[
                PromptArgument(
                    name="week_ending",
                    description="Last day of the week, YYYY-MM-DD; by default the last Sunday that "
                    "there are data of.",
                    required=False,
                ),
                PromptArgument(
                    name="currency",
                    description="ISO 4217 code that amounts are converted to.",
                    required=False,
                ),
            ],
        ),
        _weekly_review,
    ),
    "anomaly_check": Recipe(
        Prompt(
            name="anomaly_check",
            title="Check for anomalies",
            description="Odd days of one measure in the last week, and what explains them.",
            arguments=[
                PromptArgument(
                    name="model",
                    description="Name of a model; by default ad_performance.",
                    required=False,
                ),
                PromptArgument(
                    name="measure",
                    description="One of its measures; by default its first.",
                    required=False,
                ),
            ],
        ),
        _anomaly_check,
    ),
}
