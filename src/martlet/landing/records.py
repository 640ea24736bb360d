"""Reads a user's file into records: JSON lines, a JSON array, CSV or Parquet."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from martlet.errors import BadInputError
from martlet.landing.exact_json import ExactParser, compact, exact_number, path_to_nan
from martlet.registry.fingerprint import fold_name

_ROWS_PER_BATCH = 5_000
_LONGEST_CELL = 2**30
_WHITESPACE = " \t\r\n"


@dataclass(frozen=True)
class RawRecord:
    """One record as it came; `fields` is None where `error` says why it cannot be read."""

    row_number: int
    raw: str | None  # None: the format has no text of a record, `text` makes one
    fields: dict[str, Any] | None
    error: str = ""
    path: str | None = None
    is_readable: bool = True  # False: not even the file's format
    has_exact: bool = True  # False: no number inside of a field's value has a text of its own

    def text(self) -> str:
        """Return the record as it is kept where it is refused."""
        return compact(self.fields) if self.raw is None else self.raw


@dataclass(frozen=True)
class RecordFile:
    """A file's records; `names` are the columns that the format states, none for JSON.

    `is_text` says that scalars come as texts because the format has no types.
    """

    records: Iterator[RawRecord]
    names: tuple[str, ...] = ()
    is_text: bool = False


def open_records(file: Path) -> RecordFile:
    """Return the file's records, lazily; raises `BadInputError` where it cannot be read at all."""
    readers: dict[str, Callable[[Path], RecordFile]] = {
        ".jsonl": _json_records,
        ".ndjson": _json_records,
        ".json": _json_records,
        ".csv": _csv_records,
        ".parquet": _parquet_records,
    }
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise BadInputError(
            f"cannot tell the format from the ending {file.suffix!r}; valid: {', '.join(readers)}",
            where=str(file),
            remedy="name the file after its format",
        )
    try:
        size = file.stat().st_size
    except OSError as error:
        raise BadInputError(
            f"the file cannot be read: {error.strerror}", where=str(file), remedy="check --file"
        ) from error
    if not file.is_file():
        raise BadInputError("this is no file", where=str(file), remedy="check --file")
    if size == 0:
        raise _empty(file)
    return reader(file)


def record_of_text(number: int, text: str) -> RawRecord:
    """Return one record that was kept as JSON text."""
    return _line_record(ExactParser(), number, text.encode(errors="replace"))


def _json_records(file: Path) -> RecordFile:
    with file.open("rb") as stream:
        start = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start and not file.read_bytes().strip():
        raise _empty(file)
    if start.startswith(b"["):
        return RecordFile(_array_records(file))
    return RecordFile(_line_records(file))


def _line_records(file: Path) -> Iterator[RawRecord]:
    parser = ExactParser()
    number = 0
    with file.open("rb") as stream:
        for line in stream:
            content = line.strip()
            if number == 0:
                content = content.removeprefix(b"\xef\xbb\xbf")
            if content:
                yield _line_record(parser, number, content)
                number += 1


def _line_record(parser: ExactParser, number: int, content: bytes) -> RawRecord:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raw = content.decode(errors="replace")
        return RawRecord(number, raw, None, f"not UTF-8: {error.reason}", is_readable=False)
    try:
        value = parser.parse(text)
    except RecursionError:
        return RawRecord(number, text, None, "not valid JSON: nested too deeply", is_readable=False)
    except ValueError as error:
        return RawRecord(number, text, None, f"not valid JSON: {error}", is_readable=False)
    return _json_record(parser, number, text, value)


def _json_record(parser: ExactParser, number: int, text: str, value: Any) -> RawRecord:
    if not isinstance(value, dict):
        return RawRecord(number, text, None, "not a JSON object", is_readable=False)
    if parser.has_nan:
        return RawRecord(number, text, None, "NaN is no number", path_to_nan(value))
    return RawRecord(number, text, value, has_exact=parser.has_exact)


def _array_records(file: Path) -> Iterator[RawRecord]:
    parser = ExactParser()
    try:
        text = file.read_text(encoding="utf-8-sig")
        place = _skip(text, text.index("[") + 1)
        number = 0
        while not text.startswith("]", place):
            value, end = parser.parse_at(text, place)
            yield _json_record(parser, number, text[place:end], value)
            number += 1
            place = _skip(text, end)
            if text.startswith(",", place):
                place = _skip(text, place + 1)
            elif not text.startswith("]", place):
                raise ValueError(f"',' or ']' expected at character {place}")
        if text[place + 1 :].strip():
            raise ValueError(f"text follows the array at character {place + 1}")
    except (ValueError, RecursionError) as error:
        raise BadInputError(
            f"the JSON array cannot be read: {error}",
            where=str(file),
            remedy="write one object a line, so that one broken record does not hide the others",
        ) from error


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _WHITESPACE:
        place += 1
    return place


def _csv_records(file: Path) -> RecordFile:
    csv.field_size_limit(_LONGEST_CELL)
    rows = _csv_rows(file)
    header = next(rows, None)
    if header is None:
        raise _empty(file)
    _require_distinct(file, header)
    return RecordFile(_csv_row_records(rows, header), tuple(header), is_text=True)


def _csv_rows(file: Path) -> Iterator[list[str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            delimiter = max(",", ";", "\t", key=first.count)
            yield from (row for row in csv.reader(stream, delimiter=delimiter, strict=True) if row)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadInputError(
            f"the CSV cannot be read: {error}",
            where=str(file),
            remedy="write it as UTF-8, with quotes around cells that hold separators or quotes",
        ) from error


def _csv_row_records(rows: Iterator[list[str]], header: list[str]) -> Iterator[RawRecord]:
    for number, row in enumerate(rows):
        if len(row) != len(header):
            error = f"the row has {len(row)} cells, the header {len(header)}"
            yield RawRecord(number, json.dumps(row, ensure_ascii=False), None, error)
            continue
        fields = {
            name: cell if cell != "" else None for name, cell in zip(header, row, strict=True)
        }
        yield RawRecord(number, None, fields, has_exact=False)


def _parquet_records(file: Path) -> RecordFile:
    try:
        source = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(
            f"the file is no readable Parquet: {error}",
            where=str(file),
            remedy="write the file again",
        ) from error
    names = source.schema_arrow.names
    _require_distinct(file, names)
    return RecordFile(_parquet_row_records(file, source), tuple(names), is_text=False)


def _parquet_row_records(file: Path, source: pq.ParquetFile) -> Iterator[RawRecord]:
    number = 0
    involved = _Involved.of(source.schema_arrow)
    try:
        for batch in source.iter_batches(_ROWS_PER_BATCH):
            for row in _microseconds(batch).to_pylist():
                yield _parquet_record(number, row, involved)
                number += 1
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(
            f"the Parquet file breaks after {number} rows: {error}",
            where=str(file),
            remedy="write the file again",
        ) from error


@dataclass(frozen=True)
class _Involved:
    """The columns of a Parquet file whose values are not JSON's own already."""

    names: tuple[str, ...]
    has_exact: bool

    @classmethod
    def of(cls, schema: pa.Schema) -> "_Involved":
        fields = [field for field in schema if not _is_json_scalar(field.type)]
        nested = [f for f in fields if pa.types.is_nested(f.type) or _is_extension(f.type)]
        return cls(
            tuple(field.name for field in fields),
            any("decimal" in str(f.type) or _is_extension(f.type) for f in nested),
        )


def _is_json_scalar(kind: pa.DataType) -> bool:
    types = pa.types
    tests = (types.is_string, types.is_large_string, types.is_integer, types.is_boolean)
    return any(test(kind) for test in tests)


def _is_extension(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType)


def _parquet_record(number: int, row: dict[str, Any], involved: _Involved) -> RawRecord:
    try:
        plain = {name: _plain(row[name]) for name in involved.names}
    except ValueError as error:
        return RawRecord(number, json.dumps(row, default=str), None, str(error))
    fields = row | plain
    path = path_to_nan(plain)
    if path is not None:
        return RawRecord(number, json.dumps(fields, default=str), None, "NaN is no number", path)
    return RawRecord(number, None, fields, has_exact=involved.has_exact)


def _microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Nanoseconds would come out as another library's type."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            kind = pa.timestamp("us", field.type.tz)
            column = batch.column(place).cast(kind, safe=False)
            batch = batch.set_column(place, field.name, column)
    return batch


def _plain(value: Any) -> Any:
    """Return a Parquet value as JSON would carry it; raises `ValueError` for bytes, not text."""
    if isinstance(value, dict):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(member, tuple) for member in value):  # a map
            return {str(name): _plain(member) for name, member in value}
        return [_plain(member) for member in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return exact_number(format(value, "f"))
    if isinstance(value, bytes):
        return value.decode()
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)


def _require_distinct(file: Path, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(fold_name(name), name)
        if other is not name or not name.strip():
            what = (
                f"the columns {other!r} and {name!r} have one name"
                if name.strip()
                else ("a column has no name")
            )
            raise BadInputError(what, where=str(file), remedy="rename one of them")


def _empty(file: Path) -> BadInputError:
    return BadInputError(
        "the file is empty",
        where=str(file),
        remedy="export again; a load of no records is stated with [] or with a header alone",
    )
