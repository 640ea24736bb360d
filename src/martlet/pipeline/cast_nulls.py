"""The values that a record states and its typed view lost: what try_cast could not read."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenants import Tenant
from martlet.contracts.base import Column, ObjectContract
from martlet.contracts.library import object_contract
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text
from martlet.registry.blueprints import column_of

MAX_CAST_NULL_SHARE = 0.001
_FIRST_STEP = re.compile(r'\$\.("[^"]+"|[^.\[]+)')


@dataclass(frozen=True)
class CastNulls:
    """The stated values of a column that became null when they were typed."""

    view: str
    column: str
    stated: int
    nulls: int

    @property
    def share(self) -> float:
        return self.nulls / self.stated if self.stated else 0.0

    @property
    def is_too_many(self) -> bool:
        return self.share > MAX_CAST_NULL_SHARE


def cast_nulls(warehouse: DuckDBPyConnection, tenant: Tenant) -> list[CastNulls]:
    """Return what the typed views lost of the columns that the facts need."""
    found = []
    for source in tenant.enabled_sources():
        for object_ in source.objects:
            view = naming.intermediate_model(tenant.slug, source.platform, object_)
            if is_view(warehouse, view):
                contract = object_contract(source.platform, object_)
                needed = [c for c in contract.columns if c.name in contract.needed]
                found += _lost(warehouse, view, needed)
    return found


def cast_nulls_of_shape(
    warehouse: DuckDBPyConnection,
    view: str,
    contract: ObjectContract,
    heads: Collection[str],
    *,
    connection: str,
    source_schema_hash: str,
) -> list[CastNulls]:
    """Return what was lost of needed columns, of the newest records that came in one shape.

    Only columns that are read from `heads`, physical columns in lower case, are looked at.
    """
    needed = [
        c
        for c in contract.columns
        if c.name in contract.needed and {column_of(path) for path in c.paths} & set(heads)
    ]
    documents = dict.fromkeys(d for c in needed for d in _documents(c) if column_of(d) in heads)
    return _lost(warehouse, view, needed, _of_shape(connection, source_schema_hash), documents)


def rows_without_alias(
    warehouse: DuckDBPyConnection,
    view: str,
    landed: str,
    published: str,
    *,
    connection: str,
    source_schema_hash: str,
) -> int:
    """Return how many of the newest records of one shape have a column under its new name only."""
    (row,) = warehouse.execute(
        f"""
        select count(*)
        from intermediate.{quoted_name(view)}
        where
            not is_deleted
            and {_of_shape(connection, source_schema_hash)}
            and json_exists(raw_data_payload, {_member(landed)})
            and not json_exists(raw_data_payload, {_member(published)})
        """
    ).fetchall()
    return int(row[0])


def is_view(warehouse: DuckDBPyConnection, name: str) -> bool:
    """Say whether there is an intermediate view of this name."""
    return bool(columns_of(warehouse, f"intermediate.{quoted_name(name)}"))


def _lost(
    warehouse: DuckDBPyConnection,
    view: str,
    columns: Sequence[Column],
    rows: str = "true",
    documents: Iterable[str] = (),
) -> list[CastNulls]:
    """Count what each column states and has lost, of the rows of the view that fit a condition.

    A document of `documents` that has become its own text is lost: nothing is read from within it.
    """
    typed = [c for c in columns if c.type not in ("varchar", "json") and not c.list_key]
    counted = {c.name: (_is_stated(c), f"{quoted_name(c.name)} is null") for c in typed}
    for document in documents:
        kind = f"json_type(raw_data_payload, {quoted_text(document)})"
        counted[document.removeprefix("$.")] = (f"{kind} != 'NULL'", f"{kind} = 'VARCHAR'")
    if not counted:
        return []
    counts = ", ".join(
        f"count(*) filter ({stated}), count(*) filter ({stated} and {is_lost})"
        for stated, is_lost in counted.values()
    )
    row = warehouse.execute(
        f"select {counts} from intermediate.{quoted_name(view)} where not is_deleted and {rows}"
    ).fetchone()
    assert row is not None
    return [
        CastNulls(view, name, stated, nulls)
        for name, stated, nulls in zip(counted, row[::2], row[1::2], strict=True)
    ]


def _of_shape(connection: str, source_schema_hash: str) -> str:
    return (
        f"connection = {quoted_text(connection)} "
        f"and source_schema_hash = {quoted_text(source_schema_hash)}"
    )


def _member(name: str) -> str:
    return quoted_text(f"$.{quoted_name(name)}")


def _documents(column: Column) -> list[str]:
    """Return the paths of the documents that the column is read from within."""
    return [
        step[0]
        for path in column.paths
        if (step := _FIRST_STEP.match(path)) and (step[0] != path or column.list_key)
    ]


def _is_stated(column: Column) -> str:
    """Return the condition that the record has a value; TikTok's '-' says that there is none."""
    paths = ", ".join(
        f"json_extract_string(raw_data_payload, {quoted_text(path)})" for path in column.paths
    )
    return f"coalesce({paths}) not in ('', '-')"
