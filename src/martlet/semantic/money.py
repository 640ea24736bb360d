"""In which currency an answer's money is: asked for, known, told apart by row, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from martlet.marts.info import Profile
from martlet.semantic.errors import ConversionNeededError, QueryRefusedError
from martlet.semantic.requests import Condition
from martlet.semantic.standard.concepts import MONEY_COLUMNS
from martlet.semantic.vocabulary import MeasureTerm, ModelTerms

CURRENCY = "currency"
NO_PROFILE = Profile(0, (), False, (), (), None, None)


@dataclass(frozen=True)
class Money:
    """How the money of an answer is given.

    `currency` is that of all rows; `is_by_row` says that each row has its own, `is_split` that
    nobody asked for that, `is_mixed` that there are several, `is_fixed` that a condition chose one.
    `converted_columns` are the columns of money that are converted.
    """

    currency: str | None = None
    is_by_row: bool = False
    is_split: bool = False
    is_mixed: bool = False
    is_fixed: bool = False
    converted_columns: tuple[str, ...] = ()

    @property
    def is_converted(self) -> bool:
        return bool(self.converted_columns)


def money_of(
    terms: ModelTerms,
    measures: Sequence[MeasureTerm],
    dimensions: Sequence[str],
    conditions: Sequence[Condition],
    convert_to: str | None,
    profile: Profile,
) -> Money:
    """Return how the money of a question is given.

    Raises `ConversionNeededError` when a ratio would put different currencies into one number.
    """
    asked = [measure for measure in measures if measure.is_money]
    if not asked:
        return Money()
    if convert_to is not None:
        return _converted(terms, asked, convert_to)
    fixed = fixed_value(conditions, CURRENCY)
    if fixed is not None:
        return Money(currency=fixed if fixed in profile.currencies else None, is_fixed=True)
    if CURRENCY not in terms.dimensions:
        return Money()
    is_mixed = len(profile.currencies) + profile.has_unknown_currency > 1
    blended = [measure.name for measure in asked if measure.is_blended]
    if is_mixed and blended:
        raise ConversionNeededError(
            f"{blended[0]!r} would divide amounts of different currencies: {_told(profile)}",
            field=blended[0],
            remedy="name one currency in convert_to, or fix one by a filter on currency",
        )
    is_asked = CURRENCY in dimensions
    return Money(
        currency=None if is_asked or is_mixed else next(iter(profile.currencies), None),
        is_by_row=is_asked or is_mixed,
        is_split=is_mixed and not is_asked,
        is_mixed=is_mixed,
    )


def _converted(terms: ModelTerms, asked: Sequence[MeasureTerm], convert_to: str) -> Money:
    columns = frozenset().union(*(measure.columns for measure in asked)) & MONEY_COLUMNS
    if terms.time_dimension is None or CURRENCY not in terms.dimensions:
        raise QueryRefusedError(
            f"money of model {terms.name!r} cannot be converted: its rows have no day",
            field="convert_to",
        )
    return Money(currency=convert_to, converted_columns=tuple(sorted(columns)))


def fixed_value(conditions: Sequence[Condition], field: str) -> str | None:
    """Return the one text that conditions leave to a field, where they say so plainly."""
    for condition in conditions:
        if condition.field != field:
            continue
        if condition.op == "eq" and isinstance(condition.value, str):
            return condition.value
        if condition.op == "in" and isinstance(condition.value, list):
            values = set(condition.value)
            if len(values) == 1 and isinstance(condition.value[0], str):
                return condition.value[0]
    return None


def _told(profile: Profile) -> str:
    unknown = ("unknown",) if profile.has_unknown_currency else ()
    return ", ".join((*profile.currencies, *unknown))
