"""CSV (RFC 4180) that a spreadsheet opens without running any of it."""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

# A cell that begins so is a formula to a spreadsheet, whoever wrote it into a campaign's name.
_FORMULA = r"^([=+\-@\t\r\n])"


def csv_text(table: pa.Table) -> bytes:
    """Return a header and one line a row.

    A null is empty, an empty text is `""`. Texts that begin with = + - @, a tab or a line break get
    a leading apostrophe; numbers, days and moments never do. Decimals keep every digit.
    """
    columns = [_readable(column) for column in table.columns]
    sink = io.BytesIO()
    pa_csv.write_csv(
        pa.table(columns, names=table.column_names),
        sink,
        pa_csv.WriteOptions(eol="\r\n", batch_size=8_192),
    )
    return sink.getvalue()


def _readable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.replace_substring_regex(column, pattern=_FORMULA, replacement=r"'\1")
    return column
