"""What lies in the landing file, of each schema as one digest: a few queries for all tenants."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from hashlib import md5

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.engines.listing import list_tables
from martlet.pipeline.run_states import LandingState

# One statement of a thousand parts takes longer to plan than ten of a hundred.
SCHEMAS_PER_QUERY = 100
_NOTHING = "nothing has landed"


def landing_schemas(slugs: Iterable[str]) -> list[str]:
    """Return the schemas that these tenants read."""
    return [*(naming.landed_schema(slug) for slug in slugs), naming.SHARED_SCHEMA]


def is_known(stamp: str, before: LandingState | None, schemas: Iterable[str]) -> bool:
    """Say whether the file need not be opened: it was looked at since it was last written."""
    return before is not None and before.stamp == stamp and before.digests.keys() >= {*schemas}


def observe_landing(
    warehouse: DuckDBPyConnection, stamp: str, before: LandingState | None, schemas: Collection[str]
) -> LandingState:
    """Return a digest of each schema: its tables, their columns and rows, and its loads.

    `before` is what was seen last; what is right of it stays. The landing is open, or attached.
    """
    if before is not None and is_known(stamp, before, schemas):
        return before
    known = before if before and before.stamp == stamp else LandingState(stamp, {})
    tables = _tables(warehouse, schemas)
    loads = _loads(warehouse, [s for s in tables if any(t[0] == "_dlt_loads" for t in tables[s])])
    seen = {
        schema: _digest(str((tables[schema], loads.get(schema)))) if schema in tables else _NOTHING
        for schema in schemas
    }
    names = {schema: tuple(t[0] for t in tables.get(schema, [])) for schema in schemas}
    return LandingState(stamp, {**known.digests, **seen}, {**known.tables, **names})


def _tables(
    warehouse: DuckDBPyConnection, schemas: Collection[str]
) -> dict[str, list[tuple[str, str, int]]]:
    """Return name, digest of the definition, and number of rows of each table, by schema."""
    wanted = {*schemas}
    tables: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for table in list_tables(warehouse, database="landing"):
        if table.schema in wanted:
            tables[table.schema].append((table.name, table.definition, table.rows))
    return tables


def _loads(warehouse: DuckDBPyConnection, schemas: list[str]) -> dict[str, tuple[int, int]]:
    """Return number and digest of the loads that dlt has completed, by schema."""
    loads = {}
    for start in range(0, len(schemas), SCHEMAS_PER_QUERY):
        parts = (
            f"select {quoted_text(schema)}, count(*), "
            "bit_xor(md5_number_lower(concat_ws(' ', load_id, status))) "
            f"from landing.{quoted_name(schema)}._dlt_loads"
            for schema in schemas[start : start + SCHEMAS_PER_QUERY]
        )
        for schema, count, digest in warehouse.execute(" union all ".join(parts)).fetchall():
            loads[schema] = (count, digest)
    return loads


def _digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
