"""The physical table that a contract's record lands as."""

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel

from martlet.contracts.base import LandedRecord

SCALARS: dict[type, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}
ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "JSON": pa.string(),
}


def physical_columns(record: type[LandedRecord]) -> dict[str, str]:
    """Return wire name to column type of a record's table; everything nested is one JSON column."""
    return {
        field.alias or name: column_type(field.annotation)
        for name, field in record.model_fields.items()
    }


def column_type(annotation: Any) -> str:
    """Return the type of the column that a field of this annotation lands as."""
    inner = _without_none(annotation)
    return SCALARS.get(inner, "JSON") if isinstance(inner, type) else "JSON"


def arrow_schema(record: type[LandedRecord]) -> pa.Schema:
    """Return the record's table as Arrow carries it; JSON columns are texts."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in physical_columns(record).items()])


def personal_fields(record: type[BaseModel]) -> tuple[list[str], list[str]]:
    """Return the dotted wire paths of the personal fields, and of those that are the subject."""
    personal: list[str] = []
    subject: list[str] = []
    for path, extra in _annotated(record, ""):
        if extra.get("personal"):
            personal.append(path)
        if extra.get("subject"):
            subject.append(path)
    return personal, subject


def _annotated(record: type[BaseModel], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in record.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        if isinstance(field.json_schema_extra, dict):
            yield path, field.json_schema_extra
        for nested in _models(field.annotation):
            if nested is not record:
                yield from _annotated(nested, f"{path}.")


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        members = [a for a in get_args(annotation) if a is not type(None)]
        return members[0] if len(members) == 1 else annotation
    return annotation
