"""Fits records to a published version of a contract: chosen by the records, then enforced."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from martlet.contracts.base import Version
from martlet.contracts.physical import ARROW_TYPES, physical_columns
from martlet.landing.batches import ROW_NUMBER, RejectedRow
from martlet.landing.exact_json import ExactParser, compact, number_text
from martlet.landing.records import RawRecord
from martlet.registry.fingerprint import fold_name

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHAPES = 1_000  # of which the columns are kept in mind
_OWN = ("_dlt_", "_martlet_")  # what landing itself writes to every table
# What dlt's naming replaces in names, and NUL, which no SQL can hold; two that differ only there
# would be one column.
_REPLACED = str.maketrans("\n\r'\"▶\0", "______")


class UnfitError(ValueError):
    """The record does not fit the contract."""

    def __init__(self, error: str, path: str | None = None) -> None:
        super().__init__(error)
        self.path = path


@dataclass(frozen=True)
class FittedRow:
    """A record as it lands: column to value, JSON columns as texts."""

    row_number: int
    raw: str | RawRecord
    values: dict[str, Any]

    def text(self) -> str:
        """Return the record as it is kept where it is refused."""
        return self.raw if isinstance(self.raw, str) else self.raw.text()


@dataclass(frozen=True)
class _Shape:
    """What records with the same names in the same order have in common.

    `names` are their columns one by one, None where landing leaves the field out. Texts in `read`
    are looked into.
    """

    names: tuple[str | None, ...]
    read: tuple[str, ...]


class VersionFit:
    """One version of a contract and how records of a file fit it."""

    def __init__(self, version: Version, *, is_text: bool) -> None:
        self.version = version
        self.columns = physical_columns(version.record)
        self.unknown: dict[str, str] = {}  # folded name to the spelling that came first
        self._is_text = is_text
        self._known = {fold_name(name): name for name in self.columns}
        self._names: dict[str, str] = {}
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._parser = ExactParser()
        self._read = {"JSON", "BOOLEAN"} if is_text else {"JSON"}

    def knows_any(self, names: Iterable[str]) -> bool:
        return any(fold_name(name) in self._known for name in names)

    def score(self, record: RawRecord) -> int:
        """Return how many of the record's fields the version states, and types as they came."""
        try:
            fields, has_exact = self._prepared(record)
        except UnfitError:
            return 0
        present = [name for name in fields if name in self.columns]
        problems = self._problems(fields, _object_text(_texts(fields, has_exact)))
        if self._is_text:
            problems = [p for p in problems if not p.is_tolerable]
        failed = {problem.path[0] for problem in problems if problem.path}
        return sum(name not in failed for name in present) + self._signs(fields)

    def fit(self, record: RawRecord) -> FittedRow:
        """Return the record as it lands; raises `UnfitError` where it does not fit."""
        fields, has_exact = self._prepared(record)
        if not any(name in self.columns for name in fields):
            raise UnfitError("no field of the contract is there")
        texts = _texts(fields, has_exact)
        text = _object_text(texts)
        if not text.isascii() and not _is_unicode(text):
            raise UnfitError("a text holds half of a surrogate pair, which is no character")
        intolerable = [p for p in self._problems(fields, text) if not p.is_tolerable]
        if intolerable:
            raise UnfitError(intolerable[0].message, ".".join(map(str, intolerable[0].path)))
        values = {
            name: self._landed(name, value, texts[name])
            for name, value in fields.items()
            if value is not None
        }
        raw = record if record.raw is None else record.raw  # not both: it would keep the values
        return FittedRow(record.row_number, raw, values)

    def table(self, rows: Sequence[FittedRow]) -> pa.Table:
        """Return rows as Arrow: the version's columns, the unknown ones, the row number."""
        types = {name: ARROW_TYPES[kind] for name, kind in self.columns.items()}
        types |= dict.fromkeys(self.unknown.values(), pa.string())
        arrays = [
            pa.array([r.values.get(name) for r in rows], kind) for name, kind in types.items()
        ]
        arrays.append(pa.array([row.row_number for row in rows], pa.int64()))
        return pa.table(arrays, names=[*types, ROW_NUMBER])

    def _prepared(self, record: RawRecord) -> tuple[dict[str, Any], bool]:
        """Return the fields under the contract's spelling, the landing's own names left out.

        Beside them, whether a number among them has a text of its own.
        """
        fields = record.fields or {}
        given = tuple(fields)
        shape = self._shapes.get(given)
        if shape is None:
            shape = self._shape(given)
            if len(self._shapes) < _SHAPES:
                self._shapes[given] = shape
        prepared: dict[Any, Any] = dict(zip(shape.names, fields.values(), strict=True))
        prepared.pop(None, None)
        has_exact = record.has_exact
        for name in shape.read:
            value = prepared[name]
            if isinstance(value, str):
                read = prepared[name] = self._read_text(name, value)
                has_exact = has_exact or (read is not value and self._parser.has_exact)
        return prepared, has_exact

    def _shape(self, given: tuple[str, ...]) -> "_Shape":
        names: list[str | None] = []
        came: dict[str, str] = {}
        for field in given:
            if field.startswith(_OWN):
                names.append(None)
                continue
            name = self._names.get(field)
            if name is None:
                name = self._names[field] = self._column_name(field)
            if name in came:
                raise UnfitError(f"the names {came[name]!r} and {field!r} are one column", field)
            came[name] = field
            names.append(name)
        read = tuple(name for name in came if self.columns.get(name) in self._read)
        return _Shape(tuple(names), read)

    def _signs(self, fields: Mapping[str, Any]) -> int:
        """Return how many of the texts that only this version's loader writes are there."""
        return sum(
            isinstance(value := fields.get(name), str) and re.search(pattern, value) is not None
            for name, pattern in self.version.signs
        )

    def _column_name(self, given: str) -> str:
        cleaned = given.translate(_REPLACED)
        if not cleaned.strip():
            raise UnfitError("a field has no name")
        folded = fold_name(cleaned)
        return self._known.get(folded) or self.unknown.setdefault(folded, cleaned)

    def _read_text(self, name: str, value: str) -> Any:
        """Read what a format without types could only write as text."""
        kind = self.columns.get(name)
        if kind == "JSON" and value[:1] in ("{", "["):
            return self._document(value)
        if self._is_text and kind == "BOOLEAN" and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return value

    def _document(self, text: str) -> Any:
        """Return a JSON text's value, or the text itself where it is none."""
        try:
            value = self._parser.parse(text)
        except (ValueError, RecursionError):
            return text
        return text if self._parser.has_nan else value

    def _problems(self, fields: Mapping[str, Any], text: str) -> list["_Problem"]:
        try:
            self.version.record.model_validate_json(text, strict=True)
        except ValidationError as error:
            return _problems(fields, error)
        return []

    def _landed(self, name: str, value: Any, text: str) -> Any:
        kind = self.columns.get(name)
        if kind == "VARCHAR":
            return value if isinstance(value, str) else _scalar_text(value)
        if kind == "BIGINT":
            return _whole_number(name, value)
        if kind == "DOUBLE":
            return _fraction(name, value)
        return value if kind == "BOOLEAN" else text


def fit_records(
    fit: VersionFit, records: Iterable[RawRecord]
) -> tuple[list[FittedRow], list[RejectedRow]]:
    """Divide records into those that fit and those that do not."""
    fitted: list[FittedRow] = []
    rejected: list[RejectedRow] = []
    for record in records:
        if record.fields is None:
            rejected.append(_refused(record, record.error, record.path))
            continue
        try:
            fitted.append(fit.fit(record))
        except UnfitError as error:
            rejected.append(_refused(record, str(error), error.path))
    return fitted, rejected


def _refused(record: RawRecord, error: str, path: str | None) -> RejectedRow:
    return RejectedRow(record.row_number, error, path, record.text())


def best_fit(fits: Sequence[VersionFit], sample: Sequence[RawRecord]) -> VersionFit:
    """Return the version that most fields fit as they came; the first one where several tie."""
    scores = [sum(fit.score(r) for r in sample if r.fields is not None) for fit in fits]
    return fits[scores.index(max(scores))]


@dataclass(frozen=True)
class _Problem:
    """What the contract says against a value; tolerable where the value lands without a change."""

    path: tuple[str | int, ...]
    message: str
    is_tolerable: bool


def _problems(fields: Mapping[str, Any], error: ValidationError) -> list[_Problem]:
    """Return one problem for each place; a place of several types is fine if one of them is."""
    found = []
    details = error.errors(include_url=False, include_context=False)
    for _, group in groupby(details, key=lambda detail: _place(fields, detail["loc"])[0]):
        alternatives = list(group)
        first = alternatives[0]
        found.append(
            _Problem(
                path=_place(fields, first["loc"])[1],
                message=first["msg"],
                is_tolerable=any(_is_tolerable(a["type"], a["input"]) for a in alternatives),
            )
        )
    return found


def _place(
    fields: Mapping[str, Any], location: tuple[str | int, ...]
) -> tuple[tuple[str | int, ...], tuple[str | int, ...]]:
    """Return where a union of types stands (or the value itself), and the value's own path.

    Between the steps into the record, a location names the types that were tried.
    """
    value: Any = fields
    path: list[str | int] = []
    union: tuple[str | int, ...] | None = None
    for step in location:
        if isinstance(value, Mapping) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            union = tuple(path) if union is None else union
            continue
        path.append(step)
    return (tuple(path) if union is None else union), tuple(path)


def _is_tolerable(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if kind == "string_type":
        return isinstance(value, int | float)
    if kind in ("int_type", "int_from_float"):
        if isinstance(value, float):
            return value.is_integer() and abs(value) <= 2**53
        return isinstance(value, str) and _INTEGER.fullmatch(value) is not None
    if kind == "float_type":
        return isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    return False


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _scalar_text(value: float) -> str:
    return number_text(value) if isinstance(value, float) else str(value)


def _whole_number(name: str, value: Any) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise UnfitError(f"{number} is beyond 64 bits", name)
    return number


def _fraction(name: str, value: Any) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number - number != 0:
        raise UnfitError("the number is beyond what a double holds", name)
    if isinstance(value, int) and int(number) != value:
        raise UnfitError(f"{value} would lose digits as a double", name)
    return number


def _texts(fields: Mapping[str, Any], has_exact: bool) -> dict[str, str]:
    return {
        name: number_text(value)
        if isinstance(value, float)
        else compact(value, has_exact=has_exact)
        for name, value in fields.items()
    }


def _object_text(texts: Mapping[str, str]) -> str:
    return "{" + ",".join([f"{compact(n, has_exact=False)}:{t}" for n, t in texts.items()]) + "}"
