"""Whose a row of a shared table is: the column that says its account."""

from collections.abc import Collection

from martlet.engines.duckdb_engine import quoted_name, quoted_text


def has_account(account_column: str, columns: Collection[str]) -> bool:
    """Say whether a table of these columns can tell its rows' accounts."""
    return _column(account_column, columns) is not None


def account_expression(account_column: str, columns: Collection[str]) -> str:
    """Return the SQL of a row's account: a column of that name, else a member of a JSON column.

    Null where the table has neither: then nobody's account is known.
    """
    column = _column(account_column, columns)
    if column is None:
        return "null"
    if column.lower() == account_column.lower():
        return f"cast({quoted_name(column)} as varchar)"
    rest = account_column.partition(".")[2]
    return f"json_extract_string({quoted_name(column)}, {quoted_text('$.' + rest)})"


def _column(account_column: str, columns: Collection[str]) -> str | None:
    folded = {column.lower(): column for column in columns}
    head, _, rest = account_column.lower().partition(".")
    return folded.get(account_column.lower()) or (folded.get(head) if rest else None)
