"""The overview: how marketing does, against the period before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from martlet.api.serving import Serving
from martlet.marts.info import MartInfo
from martlet.semantic.answers import Answer, Caution
from martlet.semantic.errors import (
    ConversionNeededError,
    RateMissingError,
)
from martlet.semantic.requests import Comparison, Query, TimeRange
from martlet.semantic.service import SemanticService
from martlet.web.cells import cell_of, how_of
from martlet.web.charts import Chart, Series, sparkline
from martlet.web.context import (
    Notice,
    find_strip,
    info_of,
    labels_of,
    notices_of,
)
from martlet.web.days import PERIODS, Period, day_words, grain_words, period_of, short_day
from martlet.web.numbers import Change, Measured, change, currency_words, written
from martlet.web.visit import Visit

APART = "apart"
_DAILY_UP_TO = 400
_CAMPAIGNS = 10


@dataclass(frozen=True)
class Kpi:
    """One headline number; `better` says which way is good."""

    name: str
    label: str
    hint: str
    better: str
    is_money: bool = False


KPIS = (
    Kpi("spend", "Spend", "What all ads cost", "neither", is_money=True),
    Kpi("revenue", "Revenue", "Orders of the shops, less refunds", "up", is_money=True),
    Kpi("blended_roas", "ROAS (blended)", "Revenue per unit of ad spend", "up", is_money=True),
    Kpi("cac", "CAC", "Ad spend per new customer", "down", is_money=True),
    Kpi("orders", "Orders", "Without tests and cancelled ones", "up"),
    Kpi("aov", "Average order", "Revenue per order", "up", is_money=True),
    Kpi("sessions", "Sessions", "Visits of known visitors", "up"),
    Kpi("session_conversion_rate", "Conversion rate", "Share of sessions that converted", "up"),
)
_BY_NAME = {kpi.name: kpi for kpi in KPIS}


@dataclass(frozen=True)
class Card:
    """A headline number as it is shown."""

    kpi: Kpi
    value: str
    previous: str
    change: Change
    line: str
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class Asked:
    """What the address asks for.

    `currency` is None where there is only one, and `APART` where none is converted.
    """

    period: Period
    currency: str | None
    trend: Kpi
    notices: tuple[Notice, ...]

    @property
    def converts_to(self) -> str | None:
        return None if self.currency == APART else self.currency

    def parameters(self, **changed: str) -> str:
        """Return the address's query, with some of it changed."""
        period = self.period
        known = (
            {"start": period.start.isoformat(), "end": period.end.isoformat()}
            if period.name == "custom"
            else {"period": period.name}
        )
        if self.currency:
            known["currency"] = self.currency
        known["trend"] = self.trend.name
        return urlencode(known | changed)


def overview(visit: Visit) -> Response:
    """Show the tenant's overview."""
    strip = find_strip(visit)
    if strip is None:
        return visit.show("nothing_yet.html", strip=None)
    info = info_of(visit)
    profile = info.profiles.get("blended")
    if "blended" not in info.definition or profile is None or profile.last_day is None:
        return visit.show("nothing_yet.html", strip=strip)
    asked = _asked(visit.request.query_params, info, profile.last_day)
    try:
        return _shown(visit, info, asked, strip)
    except (RateMissingError, ConversionNeededError) as error:
        notice = Notice(
            f"Amounts cannot be put into one currency: {error.what}. They are shown apart.", "warn"
        )
        apart = Asked(asked.period, APART, asked.trend, (*asked.notices, notice))
        return _shown(visit, info, apart, strip)


def warm(serving: Serving, tenant: str) -> None:
    """Ask now what the tenant's first page will ask, so that its reader need not wait.

    Compiling a question takes long, but only the first time; its days do not matter.
    """
    with serving.marts.open(tenant) as mart:
        info = mart.info
    newest = info.profiles["blended"].last_day if "blended" in info.profiles else None
    if newest is not None and "blended" in info.definition:
        _answers(_Reader(serving.service, tenant, _asked({}, info, newest)))


def _asked(query: Mapping[str, str], info: MartInfo, newest: date) -> Asked:
    period, problem = period_of(
        query.get("period"), query.get("start", ""), query.get("end", ""), newest
    )
    notices = [Notice(problem, "warn")] if problem else []
    currencies = info.profiles["blended"].currencies
    is_mixed = len(currencies) > 1 or (
        bool(currencies) and info.profiles["blended"].has_unknown_currency
    )
    currency = None
    if is_mixed:
        currency = query.get("currency") or info.currency or currencies[0]
        if currency not in {*currencies, info.currency, APART}:
            currency = info.currency or currencies[0]
    trend = _BY_NAME.get(query.get("trend", ""), KPIS[0])
    if currency == APART and trend.is_money:
        trend = _BY_NAME["orders"]
    return Asked(period, currency, trend, tuple(notices))


def _shown(visit: Visit, info: MartInfo, asked: Asked, strip: object) -> Response:
    reader = _Reader(visit.serving.service, visit.slug, asked)
    compared, daily, ads, campaigns, shops, websites = _answers(reader)
    cautions = [caution for answer in (compared, daily, ads, shops) for caution in answer.warnings]
    currency = asked.converts_to or _only_currency(info)
    left_out = ("split_by_currency", *(() if asked.currency else ("converted",)))
    cards = [
        _card(visit, asked, kpi, compared, daily)
        for kpi in KPIS
        if asked.currency != APART or not kpi.is_money
    ]
    return visit.show(
        "overview.html",
        strip=strip,
        asked=asked,
        period=asked.period,
        periods=PERIODS,
        newest=info.profiles["blended"].last_day,
        cards=cards,
        apart=reader.apart() if asked.currency == APART else None,
        trend=_trend(asked, daily),
        ads=_table(ads, claimed=("conversions", "roas")),
        campaigns=_table(campaigns, claimed=("conversions", "roas")),
        shops=_table(shops),
        websites=_table(websites),
        shares=_shares(ads),
        currency=currency_words(currency) if currency else None,
        currencies=_choices(info, asked),
        notices=[
            *asked.notices,
            *notices_of(_claims_last(cautions), labels_of(info), but=left_out),
        ],
        is_outside=asked.period.end < (info.profiles["blended"].first_day or asked.period.end),
        explore=f"/ui/{visit.slug}/explore",
        campaign_question=_campaign_address(visit.slug, asked),
    )


@dataclass(frozen=True)
class _Reader:
    """Asks the service what the overview shows."""

    service: SemanticService
    tenant: str
    asked: Asked

    def compared(self) -> Answer:
        """Return the headline numbers of both periods; without one currency, those not of money."""
        measures = [k.name for k in KPIS if self.asked.currency != APART or not k.is_money]
        current, previous = _days(self.asked.period), _days(self.asked.period.before)
        return self.service.compare(
            self.tenant,
            Comparison(
                model="blended",
                measures=measures,
                current=current,
                previous=previous,
                convert_to=self.asked.converts_to,
            ),
            may_see_personal=False,
        )

    def daily(self) -> Answer:
        """Return the headline numbers of both periods, day by day, or month by month."""
        period = self.asked.period
        is_daily = period.length <= _DAILY_UP_TO
        return self._ask(
            "blended",
            [k.name for k in KPIS if self.asked.currency != APART or not k.is_money],
            (),
            time=TimeRange(
                start=period.before.start if is_daily else period.start,
                end=period.end,
                grain="day" if is_daily else "month",
            ),
            limit=5_000,
        )

    def ads(self) -> Answer:
        return self._ask(
            "ad_performance",
            ["spend", "impressions", "clicks", "ctr", "cpc", "conversions", "roas"],
            ["source_platform"],
            order=["-spend"],
        )

    def campaigns(self) -> Answer:
        return self._ask(
            "ad_performance",
            ["spend", "clicks", "cpc", "conversions", "roas"],
            ["campaigns.campaign_name", "source_platform"],
            order=["-spend"],
            limit=_CAMPAIGNS,
        )

    def shops(self) -> Answer:
        return self._ask(
            "orders",
            ["order_count", "revenue", "aov", "refund_rate"],
            ["source_platform"],
            order=["-revenue"],
        )

    def websites(self) -> Answer:
        return self._ask(
            "sessions",
            ["session_count", "conversion_session_count", "session_conversion_rate"],
            ["source_platform"],
            order=["-session_count"],
            convert=False,
        )

    def apart(self) -> list[dict[str, Any]]:
        """Return spend and revenue in each currency, with the period before."""
        answer = self.service.compare(
            self.tenant,
            Comparison(
                model="blended",
                measures=["spend", "revenue"],
                dimensions=["currency"],
                current=_days(self.asked.period),
                previous=_days(self.asked.period.before),
            ),
            may_see_personal=False,
        )
        before = self.asked.period.before.words
        return [
            {
                "currency": currency_words(row["currency"]) if row["currency"] else "unknown",
                "cells": [
                    {
                        "label": kpi.label,
                        "value": written(row[kpi.name], Measured("money", row["currency"])),
                        "change": change(
                            row[kpi.name], row[f"{kpi.name}_previous"], before, better=kpi.better
                        ),
                    }
                    for kpi in KPIS[:2]
                ],
            }
            for row in answer.table.to_pylist()
            if row["spend"] or row["revenue"] or row["spend_previous"] or row["revenue_previous"]
        ]

    def _ask(
        self,
        model: str,
        measures: Sequence[str],
        dimensions: Sequence[str],
        *,
        time: TimeRange | None = None,
        order: Sequence[str] = (),
        limit: int = 50,
        convert: bool = True,
    ) -> Answer:
        question = Query.model_validate(
            {
                "model": model,
                "measures": list(measures),
                "dimensions": list(dimensions),
                "time": time or _days(self.asked.period),
                "order": list(order),
                "limit": limit,
                "convert_to": self.asked.converts_to if convert else None,
            }
        )
        return self.service.query(self.tenant, question, may_see_personal=False)


def _answers(reader: _Reader) -> tuple[Answer, Answer, Answer, Answer, Answer, Answer]:
    return (
        reader.compared(),
        reader.daily(),
        reader.ads(),
        reader.campaigns(),
        reader.shops(),
        reader.websites(),
    )


def _card(
    visit: Visit,
    asked: Asked,
    kpi: Kpi,
    answer: Answer,
    daily: Answer,
) -> Card:
    row = answer.table.to_pylist()[0] if answer.table.num_rows else {}
    now, then = row.get(kpi.name), row.get(f"{kpi.name}_previous")
    how = _how(answer, kpi.name)
    points = _by_day(daily, kpi.name)
    days = [asked.period.start + timedelta(days=n) for n in range(asked.period.length)]
    return Card(
        kpi=kpi,
        value=written(now, how, short=True),
        previous=written(then, how, short=True),
        change=change(now, then, asked.period.before.words, better=kpi.better),
        line=sparkline([points.get(day) for day in days]) if len(days) <= _DAILY_UP_TO else "",
        address=f"/ui/{visit.slug}?{asked.parameters(trend=kpi.name)}",
        is_chosen=kpi == asked.trend,
    )


def _trend(asked: Asked, daily: Answer) -> Chart:
    kpi, period, before = asked.trend, asked.period, asked.period.before
    points = _by_day(daily, kpi.name)
    how = _how(daily, kpi.name)
    if period.length > _DAILY_UP_TO:
        months = sorted(points)
        return Chart(
            title=f"{kpi.label} by month, {period.words}",
            kind="line",
            labels=[grain_words(month, "month") for month in months],
            series=[Series(kpi.label, [points[month] for month in months])],
            how=how,
            first="Month",
        )
    days = [period.start + timedelta(days=n) for n in range(period.length)]
    earlier = [before.start + timedelta(days=n) for n in range(period.length)]
    return Chart(
        title=f"{kpi.label} by day, {period.words}",
        kind="line",
        labels=[short_day(day) for day in days],
        long_labels=[day_words(day) for day in days],
        series=[
            Series(period.words, [points.get(day) for day in days]),
            Series(
                f"{before.words} (before)",
                [points.get(day) if day <= before.end else None for day in earlier],
                quiet=True,
            ),
        ],
        how=how,
    )


def _by_day(daily: Answer, measure: str) -> Mapping[date, Any]:
    names = daily.table.column_names
    day = next(column.name for column in daily.columns if column.role == "time")
    if measure not in names:
        return {}
    days, values = daily.table.column(day), daily.table.column(measure)
    return dict(zip(days.to_pylist(), values.to_pylist(), strict=True))


def _how(answer: Answer, name: str) -> Measured:
    return how_of(next(column for column in answer.columns if column.name == name))


def _table(answer: Answer, claimed: Sequence[str] = ()) -> dict[str, Any]:
    """Return an answer in words: names first, then numbers."""
    measures = [column for column in answer.columns if column.role == "measure"]
    names = [column for column in answer.columns if column.role != "measure"]
    return {
        "headings": [
            {"label": column.label, "claimed": column.name in claimed, "hint": column.description}
            for column in measures
        ],
        "rows": [
            {
                "names": [cell_of(column, row) for column in names if column.name != "currency"],
                "cells": [cell_of(column, row) for column in measures],
            }
            for row in answer.table.to_pylist()
        ],
        "is_cut": answer.truncated,
    }


def _shares(ads: Answer) -> list[float]:
    """Return each platform's share of the spend, where it is all in one currency."""
    if "currency" in ads.table.column_names:
        return []
    spends = [float(value or 0) for value in ads.table.column("spend").to_pylist()]
    total = sum(spends)
    return [spend / total for spend in spends] if total > 0 else []


def _choices(info: MartInfo, asked: Asked) -> list[tuple[str, str]]:
    if asked.currency is None:
        return []
    own = {*info.profiles["blended"].currencies, *([info.currency] if info.currency else [])}
    choices = [(code, f"All in {currency_words(code)}") for code in sorted(own)]
    return [*choices, (APART, "Currencies apart")]


def _only_currency(info: MartInfo) -> str | None:
    currencies = info.profiles["blended"].currencies
    return currencies[0] if len(currencies) == 1 else None


def _claims_last(cautions: Sequence[Caution]) -> list[Caution]:
    return sorted(cautions, key=lambda caution: caution.code == "claimed_conversions")


def _days(period: Period) -> TimeRange:
    return TimeRange(start=period.start, end=period.end)


def _campaign_address(tenant: str, asked: Asked) -> str:
    question = [
        ("model", "ad_performance"),
        *(("measure", name) for name in ("spend", "clicks", "cpc", "conversions", "roas")),
        ("dimension", "campaigns.campaign_name"),
        ("dimension", "source_platform"),
        ("start", asked.period.start.isoformat()),
        ("end", asked.period.end.isoformat()),
        ("order", "-spend"),
    ]
    if asked.converts_to:
        question.append(("convert_to", asked.converts_to))
    return f"/ui/{tenant}/explore?{urlencode(question)}"
