"""Answers questions about a tenant's published mart, the same for every door.

Who may ask is for the door to check: the name of a tenant comes from a key, never from a question.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from martlet.marts.errors import (
    MartAnswerTooLargeError,
    MartDamagedError,
    MartTimeoutError,
    NothingPublishedError,
    StoreUnreachableError,
    VersionGoneError,
)
from martlet.marts.store import Mart, MartStore
from martlet.semantic.answers import Answer, Explanation, Freshness
from martlet.semantic.comparing import (
    comparison_columns,
    comparison_template,
    plan_comparison,
)
from martlet.semantic.compile import Compiler
from martlet.semantic.cursors import Cursors, Position
from martlet.semantic.documents import model_document, models_document
from martlet.semantic.errors import (
    AnswerTooLargeError,
    CursorExpiredError,
    MartUnavailableError,
    QueryTimeoutError,
    TenantNotFoundError,
)
from martlet.semantic.planning import Asker, Plan, plan_query, plan_values
from martlet.semantic.pool import Pool
from martlet.semantic.presenting import columns_of, freshness_of
from martlet.semantic.questions import paged_digest, query_digest
from martlet.semantic.recent import Recent
from martlet.semantic.requests import Comparison, Query, ValueSearch
from martlet.semantic.running import Known, Limits, Run, after_position, order_values, read_known
from martlet.semantic.structure import PSEUDONYM_KEY

__all__ = ["Limits", "SemanticService"]

_HIDDEN = "(secret)"
_KNOWN_VERSIONS = 256


class SemanticService:
    """Answers for all tenants; safe for threads.

    `pseudonym_key` is the installation's secret: it disguises personal values and seals cursors, so
    both stay the same as long as it does.
    """

    def __init__(
        self, store: MartStore, limits: Limits | None = None, *, pseudonym_key: str
    ) -> None:
        self._store = store
        self._limits = limits or Limits()
        self._pseudonym_key = pseudonym_key
        self._cursors = Cursors(pseudonym_key)
        self._pool = Pool(self._limits.slots)
        self._compiler = Compiler()
        self._known: Recent[tuple[str, str], Known] = Recent(_KNOWN_VERSIONS)

    def models(self, tenant: str) -> dict[str, Any]:
        """Return the models of a tenant, with the names of their fields."""
        with self._opened(tenant) as mart:
            return models_document(self._read(mart).vocabulary, mart.info)

    def describe(self, tenant: str, model: str) -> dict[str, Any]:
        """Return what a model's fields mean; raises `UnknownModelError` with the nearest one."""
        with self._opened(tenant) as mart:
            return model_document(self._read(mart).vocabulary.model(model), mart.info)

    def freshness(self, tenant: str) -> Freshness:
        """Return how fresh the tenant's data are, source by source."""
        with self._opened(tenant) as mart:
            return freshness_of(mart.info)

    def version(self, tenant: str) -> str:
        """Return the data version that is current, opening nothing."""
        with _told():
            return self._store.version(tenant)

    def query_digest(self, query: Query) -> str:
        """Return a digest that is the same for questions that mean the same."""
        return query_digest(query)

    def warm(self, tenant: str) -> None:
        """Do now what the first question would wait for."""
        with self._opened(tenant) as mart:
            self._compiler.warm(self._read(mart).defined)

    def query(self, tenant: str, query: Query, *, may_see_personal: bool) -> Answer:
        """Return the rows of a question, or of its next page when it has a cursor.

        Conditions: all of them hold. `ne`, `not_in` and `not_contains` keep rows without a value,
        for they have none of those named; operators of order do not. `contains` looks for the text
        itself, whatever the case; there are no wildcards. A condition on a measure chooses groups
        after they were summed, and the measure need not be asked for.

        Rows come in a total order, nulls last. All pages come from the version that the first came
        from; `limit` may differ from page to page. Totals are over all rows that conditions on
        dimensions choose, whatever the page and the conditions on measures.
        """
        with self._pool.place(), self._asked(tenant, query, may_see_personal) as asked:
            run, plan, seen = asked
            said = [*plan.cautions, *run.conversion_cautions(plan)]
            template = run.template(plan.structure)
            answer = run.answer(template, plan, columns_of(plan), plan.values, said, seen)
            if answer.truncated:
                last = order_values(plan.structure, answer.table)
                position = Position(run.mart.version, seen + len(answer.table), last)
                question = paged_digest(tenant, query, may_see_personal=may_see_personal)
                answer = replace(answer, next_cursor=self._cursors.write(position, question))
            if query.totals:
                totals, of_totals = run.totals(plan)
                answer = replace(answer, totals=totals, warnings=(*answer.warnings, *of_totals))
            return answer

    def compare(self, tenant: str, comparison: Comparison, *, may_see_personal: bool) -> Answer:
        """Return the measures of two periods side by side, the change and its ratio.

        A group without rows in one of the periods has null there, and so no change. A condition on
        a measure chooses groups in each period by itself.
        """
        with self._pool.place(), self._opened(tenant) as mart:
            run = self._run(mart)
            terms = run.known.vocabulary.model(comparison.model)
            periods = plan_comparison(terms, mart.info, comparison, self._asker(may_see_personal))
            plan, previous = periods.current, periods.previous
            said = [*plan.cautions, *run.conversion_cautions(plan, previous)]
            template = comparison_template(
                run.template(plan.structure), run.template(previous.structure), plan.structure
            )
            answer = run.answer(template, plan, comparison_columns(plan), periods.values, said)
            return replace(answer, extra=periods.told)

    def values(self, tenant: str, search: ValueSearch, *, may_see_personal: bool) -> Answer:
        """Return the values of a dimension that contain a text, with their rows; nulls are none."""
        with self._pool.place(), self._opened(tenant) as mart:
            run = self._run(mart)
            terms = run.known.vocabulary.model(search.model)
            plan = plan_values(terms, mart.info, search, self._asker(may_see_personal))
            template = run.template(plan.structure)
            return run.answer(template, plan, columns_of(plan), plan.values, plan.cautions)

    def explain(self, tenant: str, query: Query, *, may_see_personal: bool) -> Explanation:
        """Return the SQL of a question, without running it."""
        with self._pool.place(), self._asked(tenant, query, may_see_personal) as asked:
            run, plan, seen = asked
            sql, parameters = run.template(plan.structure).filled(
                plan.values, catalog=None, limit=plan.limit + 1, offset=seen
            )
            if PSEUDONYM_KEY in parameters:
                parameters[PSEUDONYM_KEY] = _HIDDEN
            return Explanation(sql, parameters, run.mart.version, plan.cautions)

    @contextmanager
    def _asked(
        self, tenant: str, query: Query, may_see_personal: bool
    ) -> Iterator[tuple[Run, Plan, int]]:
        """Give a question's run and plan, and how many rows earlier pages had."""
        version, seen, last = None, 0, None
        if query.cursor is not None:
            question = paged_digest(tenant, query, may_see_personal=may_see_personal)
            version, seen, last = self._cursors.read(query.cursor, question)
        with self._opened(tenant, version) as mart:
            run = self._run(mart)
            terms = run.known.vocabulary.model(query.model)
            plan = plan_query(terms, mart.info, query, self._asker(may_see_personal))
            yield run, plan if version is None else after_position(plan, last), seen

    @contextmanager
    def _opened(self, tenant: str, version: str | None = None) -> Iterator[Mart]:
        with _told(), self._store.open(tenant, version) as mart:
            yield mart

    def _run(self, mart: Mart) -> Run:
        return Run(mart, self._read(mart), self._compiler, self._limits)

    def _read(self, mart: Mart) -> Known:
        key = (mart.tenant, mart.version)
        known = self._known.get(key)
        if known is None:
            known = read_known(mart, self._limits.max_seconds)
            self._known.put(key, known)
        return known

    def _asker(self, may_see_personal: bool) -> Asker:
        return Asker(may_see_personal, self._pseudonym_key)


@contextmanager
def _told() -> Iterator[None]:
    """Tell what went wrong with a mart as those who ask may know it."""
    try:
        yield
    except NothingPublishedError as error:
        raise TenantNotFoundError("nothing is published under this name") from error
    except VersionGoneError as error:
        raise CursorExpiredError(
            "the version that this cursor goes through is no longer kept",
            field="cursor",
            remedy="ask again without a cursor",
        ) from error
    except (MartDamagedError, StoreUnreachableError) as error:
        raise MartUnavailableError("the published mart cannot be read") from error
    except MartTimeoutError as error:
        raise QueryTimeoutError(error.what, remedy=error.remedy) from error
    except MartAnswerTooLargeError as error:
        raise AnswerTooLargeError(error.what, remedy=error.remedy) from error
