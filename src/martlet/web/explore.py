"""Explore: any question, its answer as charts and a table; the address is the question."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from martlet.api.formats import CONTENT_TYPES, rendered
from martlet.api.json_input import read_json
from martlet.api.negotiation import ARROW, CSV, PARQUET
from martlet.api.problems import ProblemError
from martlet.api.questions import read_question
from martlet.api.replies import answer_content
from martlet.marts.info import MartInfo
from martlet.semantic.answers import Answer
from martlet.semantic.errors import (
    CursorExpiredError,
    PersonalFieldError,
    QueryRefusedError,
    UnknownModelError,
)
from martlet.semantic.requests import MAX_ROWS, Query, ValueSearch
from martlet.web.addresses import (
    Filter,
    Stated,
    question_address,
    question_of,
    read_address,
)
from martlet.web.answer_charts import charts_of
from martlet.web.cells import cell_of, heading_unit
from martlet.web.context import Notice, find_strip, info_of, labels_of, notices_of, reworded
from martlet.web.copies import Copies, copies_of
from martlet.web.days import PERIODS, day_words, period_of, span_words
from martlet.web.numbers import currency_words
from martlet.web.problems import no_such_page, sentence
from martlet.web.visit import HEADERS, Visit
from martlet.web.words import GRAINS, OPERATORS, counted

SHOWN_ROWS = 500
LIMITS = (100, 500, 5_000)
_FORMATS = {"csv": CSV, "parquet": PARQUET, "arrow": ARROW}
_PLACES = {
    "measures": "Numbers",
    "dimensions": "By",
    "time": "Period",
    "time.start": "First day",
    "time.end": "Last day",
    "time.grain": "Period, divided",
    "limit": "Rows",
    "order": "Order",
    "convert_to": "Money",
}
_ALWAYS_THE_SAME = {"tenant_slug", "campaigns.tenant_slug"}
_CONVERTED_BY = "Money, below Order and rows,"
_FIRST_MODEL = "ad_performance"
_FIRST_MEASURES = {"sessions": "session_count", "orders": "revenue", "blended": "revenue"}


@dataclass(frozen=True)
class Shown:
    """An answer as a page shows it."""

    headings: list[dict[str, Any]]
    rows: list[list[Any]]
    totals: list[str] | None
    count: int
    is_cut: bool
    next_page: str | None
    version: str
    words: str


def explore(visit: Visit) -> Response:
    """Show the question that the address states, and its answer."""
    strip = find_strip(visit)
    if strip is None:
        return visit.show("nothing_yet.html", strip=None)
    service = visit.serving.service
    if raw := visit.request.query_params.get("q"):
        return _redirect(
            question_address(visit.slug, read_question(Query, read_json(raw.encode())))
        )
    stated = read_address(visit.request.query_params)
    models = service.models(visit.slug)["models"]
    if not models:
        return visit.show("nothing_yet.html", strip=strip)
    names = [model["model"] for model in models]
    if not stated.model:
        stated = Stated(model=_FIRST_MODEL if _FIRST_MODEL in names else names[0])
    document = service.describe(visit.slug, stated.model)
    if not set(visit.request.query_params) - {"model"}:
        return _redirect(question_address(visit.slug, _first_question(document)))
    return _Page(visit, strip, models, document, stated, info_of(visit)).show()


def download(visit: Visit) -> Response:
    """Give the whole answer as a file."""
    kind = visit.request.path_params["kind"]
    if kind not in _FORMATS:
        raise no_such_page()
    stated = read_address(visit.request.query_params)
    document = visit.serving.service.describe(visit.slug, stated.model)
    query = _question(stated, document)
    asked = query.model_copy(update={"limit": MAX_ROWS, "cursor": None, "totals": False})
    answer = visit.serving.service.query(visit.slug, asked, may_see_personal=visit.may_see_personal)
    media = _FORMATS[kind]
    notes = {k: v for k, v in answer_content(answer).document.items() if k != "rows"}
    content = rendered(answer.table, media, notes)
    name = "_".join(filter(None, (visit.slug, stated.model, stated.start, stated.end)))
    return Response(
        content,
        headers={
            **HEADERS,
            "Content-Disposition": f'attachment; filename="{_file_name(name)}.{kind}"',
            "Martlet-Data-Version": answer.data_version,
            "Martlet-Truncated": str(answer.truncated).lower(),
        },
        media_type=CONTENT_TYPES.get(media, media),
    )


def suggest(visit: Visit) -> Response:
    """Give values of a field that contain what was typed; none where they may not be searched."""
    query = visit.request.query_params
    values: list[str] = []
    field, typed = query.get("field", ""), query.get("value", "")
    if field and len(typed) <= 200 and "\x00" not in typed:
        try:
            search = read_question(
                ValueSearch,
                {
                    "model": query.get("model", ""),
                    "dimension": field,
                    "search": typed,
                    "limit": 20,
                },
            )
            answer = visit.serving.service.values(
                visit.slug, search, may_see_personal=visit.may_see_personal
            )
            values = [str(v) for v in answer.table.column(0).to_pylist() if len(str(v)) <= 200]
        except (ProblemError, QueryRefusedError, PersonalFieldError, UnknownModelError):
            values = []  # a number's field, or one that may not be searched: there is no help
    return visit.show("values.html", values=values)


def _question_in_json(text: str) -> Query:
    return read_question(Query, read_json(text.encode("utf-8", "surrogatepass")))


def _question(stated: Stated, document: Mapping[str, Any]) -> Query:
    types = {
        each["name"]: each["type"] for each in (*document["dimensions"], *document["measures"])
    }
    return read_question(Query, question_of(stated, types))


@dataclass(frozen=True)
class _Page:
    """One page of Explore: the form as the address has it, and the answer or what is wrong."""

    visit: Visit
    strip: object
    models: list[dict[str, Any]]
    document: dict[str, Any]
    stated: Stated
    info: MartInfo

    def show(self) -> Response:
        notices: list[Notice] = []
        query: Query | None = None
        answer: Answer | None = None
        if self.stated.unknown:
            notices.append(
                Notice(
                    f"This page knows nothing of {', '.join(self.stated.unknown)[:200]}.", "warn"
                )
            )
        if self.stated.asks:
            try:
                query = _question(self.stated, self.document)
                canonical = question_address(self.visit.slug, query)
                if self._is_untidy(canonical):
                    return _redirect(canonical)
                answer = self._answer(query)
            except ProblemError as problem:
                notices += [Notice(text, "bad") for text in self._problems(problem)]
            except CursorExpiredError:
                notices.append(
                    Notice("New data have been published since: begin again at the top.", "warn")
                )
            except QueryRefusedError as error:
                parts = (self._labels().get(error.field or ""), error.what)
                told = [sentence(": ".join(part for part in parts if part))]
                told += [sentence(error.remedy)] if error.remedy else []
                notices.append(Notice(self._in_words(" ".join(told)), "bad"))
        context = self._form() | self._answered(query, answer, notices)
        is_wrong = answer is None and bool(notices)
        headers = {"HX-Push-Url": self._pushed(query)} if query else {}
        return self.visit.show(
            "explore.html", status=422 if is_wrong else 200, headers=headers, **context
        )

    def _is_untidy(self, canonical: str) -> bool:
        """Say whether the browser's form wrote fields into the address that say nothing."""
        request = self.visit.request
        if request.headers.get("hx-request"):
            return False
        return any(not value for value in request.query_params.values()) and canonical != str(
            request.url.path
        )

    def _pushed(self, query: Query) -> str:
        """Return what the browser's history gets: nothing where the same question stands there."""
        address = question_address(self.visit.slug, query)
        shown = urlsplit(self.visit.request.headers.get("hx-current-url", ""))
        return "false" if f"{shown.path}?{shown.query}" == address else address

    def _answer(self, query: Query) -> Answer:
        return self.visit.serving.service.query(
            self.visit.slug, query, may_see_personal=self.visit.may_see_personal
        )

    def _labels(self) -> dict[str, str]:
        fields = (*self.document["dimensions"], *self.document["measures"])
        return {each["name"]: each["label"] for each in fields}

    def _problems(self, problem: ProblemError) -> list[str]:
        """Return what is wrong with each part of the question, by what the form calls it."""
        if not problem.errors:
            return [sentence(problem.detail)]
        return [sentence(f"{_place(each.field)}: {each.message}") for each in problem.errors]

    def _in_words(self, text: str) -> str:
        return reworded(text, {"convert_to": _CONVERTED_BY})

    def _form(self) -> dict[str, Any]:
        document, stated = self.document, self.stated
        newest = date.fromisoformat(document["last_day"]) if document["last_day"] else None
        labels = self._labels()
        chosen = [*stated.dimensions, *stated.measures]
        hidden = _ALWAYS_THE_SAME - set(chosen)
        return {
            "strip": self.strip,
            "models": self.models,
            "document": document,
            "dimensions": [d for d in document["dimensions"] if d["name"] not in hidden],
            "description": reworded(document["description"], labels_of(self.info)),
            "stated": stated,
            "labels": labels,
            "operators": OPERATORS,
            "grains": GRAINS,
            "limits": LIMITS,
            "limit": int(stated.limit)
            if stated.limit.isdecimal() and len(stated.limit) < 10
            else LIMITS[1],
            "filters": [*stated.filters, Filter()],
            "orders": [
                (f"{sign}{name}", f"{labels.get(name, name)}, {words}")
                for name in chosen
                for sign, words in (("-", "highest first"), ("", "lowest first"))
            ],
            "periods": _presets(newest),
            "period_words": _period_words(stated),
            "currencies": self._currencies(),
            "currency_words": currency_words,
            "is_masked": not self.visit.may_see_personal,
        }

    def _currencies(self) -> list[str]:
        profiles = self.info.profiles.values()
        own = {currency for profile in profiles for currency in profile.currencies}
        return sorted({*own, *([self.info.currency] if self.info.currency else [])})

    def _answered(
        self, query: Query | None, answer: Answer | None, notices: list[Notice]
    ) -> dict[str, Any]:
        if query is None or answer is None:
            return {
                "shown": None,
                "charts": [],
                "copies": None,
                "notices": notices,
                "downloads": [],
                "chart_note": "",
                "is_asked": self.stated.asks,
            }
        measures = {each["name"]: each["label"] for each in self.document["measures"]}
        labels = {**labels_of(self.info), **measures, "convert_to": _CONVERTED_BY}
        charts, note = charts_of(answer, query)
        here = question_address(self.visit.slug, query, limit=None, cursor=None, totals=None)
        return {
            "shown": self._shown(query, answer),
            "charts": charts,
            "chart_note": note,
            "copies": self._copies(query),
            "notices": [*notices, *notices_of(answer.warnings, labels)],
            "downloads": [
                (label, here.replace("/explore?", f"/explore/answer.{kind}?", 1))
                for kind, label in (("csv", "CSV"), ("parquet", "Parquet"), ("arrow", "Arrow"))
            ],
            "is_asked": True,
        }

    def _copies(self, query: Query) -> Copies:
        explanation = self.visit.serving.service.explain(
            self.visit.slug, query, may_see_personal=self.visit.may_see_personal
        )
        base = str(self.visit.request.base_url).removesuffix("/ui/").rstrip("/")
        return copies_of(base, self.visit.slug, query, explanation)

    def _shown(self, query: Query, answer: Answer) -> Shown:
        grain = query.time.grain if query.time else None
        cut = next((column for column in answer.columns if column.role == "time"), None)
        rows = answer.table.slice(0, SHOWN_ROWS).to_pylist()
        totals = None
        if answer.totals is not None:
            totals = [
                cell_of(column, {**dict.fromkeys(answer.table.column_names), **answer.totals}).text
                if column.role == "measure"
                else ""
                for column in answer.columns
            ]
        count = answer.table.num_rows
        return Shown(
            headings=[
                {
                    "label": grain.capitalize() if grain and column == cut else column.label,
                    "unit": heading_unit(column),
                    "hint": column.description,
                    "is_number": column.role == "measure",
                }
                for column in answer.columns
            ],
            rows=[[cell_of(column, row, grain) for column in answer.columns] for row in rows],
            totals=totals,
            count=count,
            is_cut=answer.truncated,
            next_page=question_address(self.visit.slug, query, cursor=answer.next_cursor)
            if answer.next_cursor
            else None,
            version=answer.data_version,
            words=f"{'The first ' if answer.truncated else ''}{counted(count, 'row')}",
        )


def _place(path: str) -> str:
    """Return what the form calls a part of the question."""
    condition = re.match(r"filters\[(\d+)\]", path)
    if condition:
        return f"Condition {int(condition[1]) + 1}"
    return _PLACES.get(path.partition("[")[0], path)


def _first_question(document: Mapping[str, Any]) -> Query:
    """Return what is shown where nothing was asked yet: one number, by day, of a month."""
    model, measures = document["model"], [each["name"] for each in document["measures"]]
    first = _FIRST_MEASURES.get(model)
    question: dict[str, Any] = {
        "model": model,
        "measures": [first if first in measures else measures[0]],
        "limit": LIMITS[1],
    }
    if document["time_dimension"] and document["last_day"]:
        period, _ = period_of(None, "", "", date.fromisoformat(document["last_day"]))
        question["time"] = {"start": period.start, "end": period.end, "grain": "day"}
    elif document["dimensions"]:
        question["dimensions"] = [document["dimensions"][0]["name"]]
    return read_question(Query, question)


def _presets(newest: date | None) -> list[tuple[str, str, str]]:
    if newest is None:
        return []
    found = []
    for name, label in PERIODS.items():
        period, _ = period_of(name, "", "", newest)
        found.append((label, period.start.isoformat(), period.end.isoformat()))
    return found


def _period_words(stated: Stated) -> str:
    try:
        start = date.fromisoformat(stated.start) if stated.start else None
        end = date.fromisoformat(stated.end) if stated.end else None
    except ValueError:
        return "not a day"
    if start and end:
        return span_words(start, end) if start <= end else "the wrong way round"
    if start:
        return f"from {day_words(start)}"
    return f"to {day_words(end)}" if end else "all days"


def _file_name(name: str) -> str:
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in "_-"))[:120] or "answer"


def _redirect(target: str) -> Response:
    return Response(status_code=303, headers={**HEADERS, "Location": target})
