"""Conditions on rows: a closed vocabulary, so that no text of a file is ever run as SQL."""

from typing import Any, Literal

from pydantic import field_validator, model_validator

from martlet.config.problems import ConfigModel, refuse
from martlet.config.text import Slug

Operator = Literal[
    "eq",
    "ne",
    "in",
    "not_in",
    "gt",
    "gte",
    "lt",
    "lte",
    "contains",
    "not_contains",
    "is_null",
    "is_not_null",
]
Scalar = bool | int | float | str


class Filter(ConfigModel):
    """One condition that a row must meet: a closed vocabulary, never SQL."""

    field: Slug
    op: Operator
    value: Scalar | tuple[Scalar, ...] | None = None

    @field_validator("value", mode="plain")
    @classmethod
    def _accept_scalars(cls, value: Any) -> Scalar | tuple[Scalar, ...] | None:
        if isinstance(value, list | tuple):
            return tuple(_check_scalar(item) for item in value)
        return None if value is None else _check_scalar(value)

    @model_validator(mode="after")
    def _match_value_and_operator(self) -> "Filter":
        problem = _operator_problem(self.op, self.value)
        if problem:
            raise refuse(f"op {self.op!r} {problem}")
        return self


def _check_scalar(value: Any) -> Scalar:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    raise refuse("must be text, a number, true or false, or a list of these")


def _operator_problem(op: str, value: Scalar | tuple[Scalar, ...] | None) -> str | None:
    if op in {"is_null", "is_not_null"}:
        return None if value is None else "takes no value"
    if op in {"in", "not_in"}:
        kinds = {_kind(item) for item in value} if isinstance(value, tuple) else set()
        return None if len(kinds) == 1 else "needs a list of values of one kind"
    if value is None or isinstance(value, tuple):
        return "needs one value"
    if op in {"contains", "not_contains"}:
        return None if isinstance(value, str) and value else "needs a text"
    if op in {"gt", "gte", "lt", "lte"} and isinstance(value, bool):
        return "needs a number, or a date as text"
    return None


def _kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"
