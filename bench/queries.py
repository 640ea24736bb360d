"""Our rendered queries, and their naive and native forms, derived from them by replacement.

So all sides have the same columns, casts and choice of versions, and differ in how a field is
read: from one parse of the document, from one parse a field, or from a column of its own.
"""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
from histories import SLUG, History
from measuring import Reading, read_isolated

from martlet import naming
from martlet.engines.duckdb_engine import connect, create_warehouse, quoted_text

# A parse of the whole payload, done once a row, and what is read from it.
_PARSED = re.compile(r"case when random\(\) >= 0 then from_json\(raw_data_payload, .*? end as _f,")
_SPELLED = re.compile(r"case\s+when (\S+) < ':' and contains\(.*?else \1\s+end", re.DOTALL)
_FIELD = re.compile(r"_f((?:\['[^']+'\])+)")
_LIST = re.compile(r"coalesce\(_f\S+, (from_json\(.*?\))\) end as _list_")
# What a version is chosen by; the native table has these beside its typed columns.
VERSION = (
    "tenant_slug", "source_platform", "connection", "tenant_skey", "is_deleted", "extracted_at",
    "loaded_at", "load_id", "load_row", "source_schema_hash",
)  # fmt: skip


def unpack(history: History, columns: tuple[str, ...]) -> str:
    """Return the unpack of some of the contract's columns, by the project's own macro."""
    kind = history.kind
    contract = history.stage.master.removeprefix("platform_mm__")
    chosen = ", ".join(quoted_text(name) for name in columns)
    return history.stage.compile(
        f"{{% set contract = contract_{contract}() %}}"
        f"{{% set chosen = contract.columns | selectattr('name', 'in', [{chosen}]) | list %}}"
        f"{{{{ unpack_master(ref('{history.stage.master}'), dict(contract, columns=chosen), "
        f"'{SLUG}', '{kind.platform}', '{kind.object}') }}}}"
    )


def field_by_field(query: str) -> str:
    """Return an unpack that extracts every field with a `->>` of its own."""
    single, parses = _PARSED.subn("1 as _parsed,", query)
    if not parses or "_rest" in query:
        raise SystemExit("the unpack no longer parses into `_f` alone: adapt bench/queries.py")
    lists = _LIST.sub(r"\1 end as _list_", single)
    return _FIELD.sub(_arrow, _SPELLED.sub(r"\1", lists))


def _arrow(field: re.Match[str]) -> str:
    names = field[1][2:-2].split("']['")
    return f"(raw_data_payload ->> '$.{'.'.join(names)}')"


def from_columns(query: str, master: str, table: str, columns: tuple[str, ...]) -> str:
    """Return an unpack whose fields are typed columns of `table`; versions are chosen alike."""
    head, _, _ = query.partition("parsed as (")
    chosen = ", ".join(columns)
    return (
        f"{_of_other_table(head, master, table)}typed as (from newest) select {chosen} from typed"
    )


def native_versions(history: History, columns: tuple[str, ...], file: Path) -> str:
    """Make a table of all versions, their fields in typed columns; return its name."""
    query = unpack(history, columns)
    _, parsed, tail = query.partition("parsed as (")
    master = f'"warehouse"."platform"."{history.stage.master}"'
    everything = f"with newest as (select * from {master}), {parsed}{tail}".replace(
        "is_deleted as is_deleted", "is_deleted as is_deleted, load_row"
    )
    return make_table(history, everything, file, (*VERSION, *columns))


def make_table(history: History, query: str, file: Path, columns: tuple[str, ...] = ("*",)) -> str:
    """Store a query's columns in a file of their own; return the name to read them by."""
    create_warehouse(file)
    with connect(history.settings.warehouse, read_only=True) as warehouse:
        warehouse.execute(f"attach {quoted_text(str(file))} as {file.stem} (read_write)")
        chosen = ", ".join(columns)
        warehouse.execute(f"create table {file.stem}.t as select {chosen} from ({query})")
    return f"{file.stem}.main.t"


def intermediate(history: History) -> str:
    """Return how queries name the typed view of the history's object."""
    kind = history.kind
    view = naming.intermediate_model(SLUG, kind.platform, kind.object)
    return f'"warehouse"."intermediate"."{view}"'


def cost(history: History, query: str, natives: tuple[Path, ...] = ()) -> Reading:
    """Return what it costs, in a process of its own, to store a query's rows as a table."""
    scratch = _stored(history)
    scratch.unlink(missing_ok=True)
    return read_isolated(
        "queries",
        "storing",
        warehouse=str(history.settings.warehouse),
        query=query,
        scratch=str(scratch),
        natives=[str(path) for path in natives],
    )


def content(history: History) -> tuple[int, int]:
    """Return how many rows were stored last, and a digest of them."""
    with connect(_stored(history), read_only=True) as stored:
        ((count, digest),) = stored.execute("select count(*), bit_xor(hash(t)) from t").fetchall()
    return int(count), int(digest or 0)


def _stored(history: History) -> Path:
    return history.settings.home / "out.duckdb"


def storing(warehouse: str, query: str, scratch: str, natives: list[str]) -> Callable[[], None]:
    """Prepare `create table as` of a query into a file of its own, and return it as work."""
    create_warehouse(Path(scratch))
    connection = duckdb.connect(warehouse, read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"attach {quoted_text(scratch)} as scratch (read_write)")
    for native in natives:
        connection.execute(f"attach {quoted_text(native)} as {Path(native).stem} (read_only)")

    def work() -> None:
        connection.execute(f"create table scratch.t as {query}")
        connection.close()

    return work


def _of_other_table(query: str, master: str, table: str) -> str:
    relation = f'"warehouse"."platform"."{master}"'
    if relation not in query:
        raise SystemExit(f"the unpack no longer reads {relation}: adapt bench/queries.py")
    return query.replace(relation, table)
