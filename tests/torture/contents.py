"""What a project holds, without what only says when it was written: two histories compare equal."""

import re
from pathlib import Path
from typing import Any

import duckdb

from martlet.engines.targets import engine_of
from martlet.marts.versions import VersionFolder
from tests.project import Project

Contents = dict[str, Any]

# When a row was written, and by which run.
_CLOCK = frozenset(
    {
        "loaded_at",
        "seen_at",
        "first_seen_at",
        "decided_at",
        "pushed_at",
        "refreshed_at",
        "quarantined_at",
        "made_at",
        "written_at",
        "captured_at",
        "invocation_id",
    }
)
# Histories of runs: a killed run is a part of them.
_HISTORIES = re.compile(
    r"ops\.(invocations|landing_states|model_artifacts|test_artifacts|run_results|run_states|"
    r"source_freshness|platform_ops__fact_refreshes)(__\w+)?"
)
# The same record, landed once more, is known by another load.
_OF_PUSHES = frozenset({"load_id", "pushed_at"})
_OF_LOADS = frozenset({"load_id", "load_row", "key_prefix", "extracted_at"})


def warehouse_contents(project: Project, *, loads: bool = True) -> Contents:
    """Return rows and digest of every table and of every view of a tenant.

    Without `loads`, what says which load brought a row is left out, and the ledger.
    """
    contents: Contents = {}
    with engine_of(project.settings).open_both(read_only=True) as warehouse:
        for relation, columns in _relations(warehouse):
            if _HISTORIES.fullmatch(relation) or (not loads and relation.endswith("push_ledger")):
                continue
            is_analytic = relation.startswith("analytics.")
            left_out = (frozenset() if is_analytic else _CLOCK) | (
                frozenset() if loads else _OF_LOADS
            )
            told = ", ".join(f'"{c}"' for c in columns if c not in left_out)
            contents[relation] = warehouse.execute(
                f"select count(*), coalesce(sum(hash(t)), 0) from (select {told} from {relation}) t"
            ).fetchall()[0]
    return contents


def marts(project: Project) -> Contents:
    """Return what the readers of each tenant see: the digest of the mart that is current."""
    seen: Contents = {}
    for folder in sorted(project.settings.marts_dir.glob("*")):
        version = VersionFolder(folder).current()
        seen[folder.name] = version and read_mart(folder / f"{version}.duckdb", folder.name)
    return seen


def read_mart(file: Path, tenant: str) -> str:
    """Return the digest of a version's rows; what it says of itself must be so.

    The mart's own digest knows when the newest rows were pushed, and of which load they are.
    """
    with duckdb.connect(str(file), read_only=True) as mart:
        told = mart.execute("select tenant_slug, version from mart_info").fetchall()
        assert told == [(tenant, file.stem)], f"{file} says that it is {told}"
        rows = []
        for table, columns in mart.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            "where database_name = current_database() and not internal group by all order by all"
        ).fetchall():
            if "tenant_slug" in columns:
                strangers = mart.execute(
                    f'select count(*) from "{table}" where tenant_slug <> ?', [tenant]
                ).fetchall()
                assert strangers == [(0,)], f"{file}: {table} has rows of another tenant"
            if table != "mart_info":
                told = ", ".join(f'"{name}"' for name in columns if name not in _OF_PUSHES)
                rows += mart.execute(
                    f'select ?, count(*), sum(hash(t)) from (select {told} from "{table}") as t',
                    [table],
                ).fetchall()
    return str(rows)


def pointers(project: Project) -> dict[str, str | None]:
    """Return the version that each tenant's pointer names."""
    return {
        folder.name: VersionFolder(folder).current()
        for folder in sorted(project.settings.marts_dir.glob("*"))
    }


def landed(project: Project, tenant: str) -> Contents:
    """Return what has landed of a tenant, each record once; every load must be whole."""
    contents: Contents = {}
    with duckdb.connect(str(project.landing), read_only=True) as landing:
        require_whole_loads(landing, tenant)
        for relation, columns in _relations(landing, tenant):
            if relation.split(".")[1].startswith("_"):
                continue
            told = ", ".join(f'"{c}"' for c in columns if not c.startswith(("_dlt", "_martlet")))
            contents[relation] = landing.execute(
                f"select count(*), coalesce(sum(hash(t)), 0) from (select distinct {told} from {relation}) t"
            ).fetchall()[0]
    return contents


def require_whole_loads(landing: duckdb.DuckDBPyConnection, tenant: str) -> None:
    """Fail unless each load has exactly the rows that it says, and one line for each table."""
    loads = landing.execute(
        f'select table_name, _dlt_load_id, rows_accepted from "{tenant}"._martlet_loads'
    ).fetchall()
    assert len({(table, load) for table, load, _ in loads}) == len(loads), "a load's line is double"
    for table, load, accepted in loads:
        ((found,),) = landing.execute(
            f'select count(*) from "{tenant}"."{table}" where _dlt_load_id = ?', [load]
        ).fetchall()
        assert found == accepted, f"load {load} of {table} has {found} rows, not {accepted}"
    for table in {table for table, _, _ in loads}:
        ((unknown,),) = landing.execute(
            f'select count(*) from "{tenant}"."{table}" where _dlt_load_id not in '
            f'(select _dlt_load_id from "{tenant}"._martlet_loads where table_name = ?)',
            [table],
        ).fetchall()
        assert not unknown, f"{table} has {unknown} rows of loads that nobody accounts for"


def leftovers(project: Project) -> list[str]:
    """Return the files that only a command under way may have."""
    data = project.settings.home
    found = [*data.glob("marts/*/.*"), *data.glob("ops/*/.*"), *data.glob("pending_artifacts/*")]
    found += [*data.glob(".*.new"), *(project.folder / "models").rglob(".*.new")]
    return sorted(str(path.relative_to(project.folder)) for path in found if path.name != ".lock")


def difference(expected: Contents, found: Contents) -> str:
    """Return what differs, for a person."""
    names = [name for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]
    return "; ".join(f"{name}: {found.get(name)}, not {expected.get(name)}" for name in names)


def _relations(
    connection: duckdb.DuckDBPyConnection, schema: str | None = None
) -> list[tuple[str, list[str]]]:
    schemas = [schema] if schema else ["platform", "ops", "analytics", "intermediate", "refresh"]
    return connection.execute(
        "select schema_name || '.' || table_name, list(column_name order by column_index) "
        "from duckdb_columns() where database_name = current_database() "
        "and list_contains(?, schema_name) group by all order by all",
        [schemas],
    ).fetchall()
