"""Finds everything of a tenant's erased persons: landed rows, versions in masters, refused rows.

A record is a person's as a whole: where one version of it names the person, all of them go, so that
the replay of what is left gives what is left.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.audit.landed import LandedTable, landed_tables, rows_query
from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text
from martlet.engines.rewriting import LANDING, tables_of
from martlet.errors import BadInputError
from martlet.registry.fingerprint import is_bookkeeping
from martlet.registry.quarantine import ROW_DECISIONS, row_id
from martlet.registry.quarantine import ROWS as QUARANTINE
from martlet.suppression.ledger import ErasedSubjects
from martlet.suppression.subjects import (
    addresses,
    identifiers,
    identifiers_of_document,
    subject_paths,
)

LANDED_QUARANTINE = "_martlet_quarantine_rows"
_REPLAYED = "replayed"


@dataclass
class Found:
    """What is to go. `places` count the rows by relation; `values` are the identifiers as they are
    spelled in the data, `linked` the others that the same records hold.

    The rows themselves are in temporary tables: `gone_landed` (table_number, row_id), `gone_master`
    (master, row_id), `gone_keys`, `gone_refused` (row_id), `gone_quarantined` (row_id), and
    `gone_unknown` (table_name, row_id) of tables that nobody declared.
    """

    tables: list[LandedTable]
    values: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    places: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    replayed: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return sum(self.places.values())


def find_erased(
    connection: DuckDBPyConnection,
    tenant: Tenant,
    tenants: TenantsFile,
    catalogue: Catalogue,
    erased: ErasedSubjects,
    *,
    has_warehouse: bool,
) -> Found:
    """Find all rows; the connection has the landing attached, and the warehouse if there is one."""
    _refuse_shared(tenant, tenants)
    tables = landed_tables(connection, tenant, tenants)
    found = Found([t for t in tables if subject_paths(t.platform, t.object)])
    for name, columns in _TEMPORARY.items():
        connection.execute(f"create or replace temp table {name} ({columns})")
    search = _Search(connection, erased, found)
    for number, table in enumerate(found.tables):
        search.landed(number, table)
    masters = _masters(connection, tenant, catalogue, has_warehouse=has_warehouse)
    for (platform, object_), master in masters.items():
        search.master(tenant.slug, platform, object_, master)
    search.close_over_keys(tenant.slug, masters)
    search.unknown(tenant.slug, {table.table for table in tables})
    search.refused(tenant.slug)
    if has_warehouse:
        search.quarantined(tenant.slug)
    return found


_TEMPORARY = {
    "gone_landed": "table_number integer, row_id bigint, load_id varchar, load_row bigint, "
    "skey varchar, is_rejected boolean",
    "gone_master": "master varchar, platform varchar, object varchar, connection varchar, "
    "row_id bigint, load_id varchar, load_row bigint, skey varchar",
    "gone_keys": "platform varchar, object varchar, skey varchar",
    "gone_refused": "landed_table varchar, load_id varchar, row_id bigint",
    "gone_quarantined": "row_id bigint",
    "gone_unknown": "table_name varchar, load_id varchar, row_id bigint",
    "landed_keys": "table_number integer, row_id bigint, load_id varchar, load_row bigint, "
    "skey varchar, is_rejected boolean, platform varchar, object varchar",
}


def _refuse_shared(tenant: Tenant, tenants: TenantsFile) -> None:
    for landing in tenants.shared_landings:
        source = tenant.sources.get(landing.platform)
        if source and subject_paths(landing.platform, landing.object):
            raise BadInputError(
                f"{landing.table} holds persons of several tenants in one table",
                where=str(tenants.path),
                remedy=f"land the {landing.object} of {tenant.slug} into a table of its own, "
                "then erase",
            )


def _masters(
    connection: DuckDBPyConnection, tenant: Tenant, catalogue: Catalogue, *, has_warehouse: bool
) -> dict[tuple[str, str], str]:
    if not has_warehouse:
        return {}
    masters = {}
    for source in tenant.sources.values():
        master_id = catalogue.connector(source.platform).master_model_id
        for object_ in catalogue.connector(source.platform).objects:
            master = naming.master_model(master_id, object_)
            is_there = columns_of(connection, f"platform.{quoted_name(master)}")
            if subject_paths(source.platform, object_) and is_there:
                masters[source.platform, object_] = master
    return masters


class _Search:
    """Fills the temporary tables."""

    def __init__(
        self, connection: DuckDBPyConnection, erased: ErasedSubjects, found: Found
    ) -> None:
        self.connection = connection
        self.erased = erased
        self.found = found

    def landed(self, number: int, table: LandedTable) -> None:
        """Note the keys of a landed table, and which of its rows name a person."""
        columns = dict(table.columns)
        paths = subject_paths(table.platform, table.object)
        stated = [text for path in paths if (text := table.text([_json_path(path)]))]
        named = f"list_concat({identifiers(columns, paths)}, " + (
            f"list_filter([{', '.join(stated)}], x -> x is not null))" if stated else "[])"
        )
        texts = [quoted_name(n) for n, kind in table.own if kind in {"VARCHAR", "JSON"}]
        source = f"select rowid as row_id, {named} as named, {addresses(texts)} as written "
        self._hits(f"{source} from {table.relation} where {table.of_tenant}")
        self.connection.execute(
            f"insert into landed_keys select table_number, row_id, load_id, load_row, skey, "
            f"is_rejected, {quoted_text(table.platform)}, {quoted_text(table.object)} "
            f"from ({rows_query(table, number)})"
        )
        self.connection.execute(
            "insert into gone_landed select k.* exclude (platform, object) from landed_keys as k "
            f"semi join hits using (row_id) where k.table_number = {number}"
        )
        self.connection.execute(
            f"insert into gone_keys select distinct {quoted_text(table.platform)}, "
            f"{quoted_text(table.object)}, skey from gone_landed "
            f"where table_number = {number} and not is_rejected"
        )

    def master(self, slug: str, platform: str, object_: str, master: str) -> None:
        """Note the keys of the versions that name a person."""
        where = f"tenant_slug = {quoted_text(slug)} and source_platform = {quoted_text(platform)}"
        paths = subject_paths(platform, object_)
        document = "raw_data_payload"
        self._hits(
            f"select rowid as row_id, {identifiers_of_document(document, paths)} as named, "
            f"{addresses([document])} as written from platform.{quoted_name(master)} where {where}"
        )
        self.connection.execute(
            f"insert into gone_keys select distinct {quoted_text(platform)}, "
            f"{quoted_text(object_)}, cast(m.tenant_skey as varchar) "
            f"from platform.{quoted_name(master)} as m "
            "semi join hits as h on h.row_id = m.rowid"
        )

    def close_over_keys(self, slug: str, masters: Mapping[tuple[str, str], str]) -> None:
        """Take all rows and versions of the records that were found."""
        self.connection.execute(
            "insert into gone_landed select k.* exclude (platform, object) from landed_keys as k "
            "semi join gone_keys using (platform, object, skey) "
            "anti join gone_landed as g using (table_number, row_id) where not k.is_rejected"
        )
        for (platform, object_), master in masters.items():
            self.connection.execute(
                f"""
                insert into gone_master
                select {quoted_text(master)}, source_platform, {quoted_text(object_)}, connection,
                    rowid, load_id, load_row, cast(tenant_skey as varchar)
                from platform.{quoted_name(master)}
                where tenant_slug = {quoted_text(slug)}
                    and source_platform = {quoted_text(platform)}
                    and cast(tenant_skey as varchar) in (
                        select skey from gone_keys
                        where platform = {quoted_text(platform)} and object = {quoted_text(object_)}
                    )
                """
            )
        counted = self.connection.execute(
            "select table_number, count(*) from gone_landed group by 1"
        ).fetchall()
        for number, rows in counted:
            table = self.found.tables[number]
            self.found.places[f"landing.{table.schema}.{table.table}"] += rows
        for master, rows in self.connection.execute(
            "select master, count(*) from gone_master group by 1"
        ).fetchall():
            self.found.places[f"platform.{master}"] += rows

    def unknown(self, slug: str, declared: Collection[str]) -> None:
        """Note the rows of tables without a contract: any of their fields may name a person."""
        schema = naming.landed_schema(slug)
        for place in tables_of(self.connection, LANDING):
            if place[0] != schema or place[1] in declared or place[1].startswith("_"):
                continue
            relation = f"landing.{quoted_name(schema)}.{quoted_name(place[1])}"
            columns = columns_of(self.connection, relation)
            fields = [quoted_name(name) for name in columns if not is_bookkeeping(name)]
            texts = ", ".join(f"cast({field} as varchar)" for field in fields)
            self._hits(
                f"select rowid as row_id, list_filter([{texts}], x -> x is not null)::varchar[] "
                f"as named, {addresses(fields)} as written from {relation}"
            )
            load = "_dlt_load_id" if "_dlt_load_id" in columns else "null"
            self.connection.execute(
                f"insert into gone_unknown select {quoted_text(place[1])}, {load}, t.rowid "
                f"from {relation} as t semi join hits as h on h.row_id = t.rowid"
            )
            ((rows,),) = self.connection.execute("select count(*) from hits").fetchall()
            if rows:
                self.found.places[f"landing.{schema}.{place[1]}"] += rows
                self.found.unknown.append(place[1])

    def refused(self, slug: str) -> None:
        """Note what landing refused."""
        relation = f"landing.{quoted_name(naming.landed_schema(slug))}.{LANDED_QUARANTINE}"
        if not columns_of(self.connection, relation):
            return
        self._hits(self._refused_query(relation, "true"))
        self.connection.execute(
            "insert into gone_refused select q.table_name, q._dlt_load_id, q.rowid "
            f"from {relation} as q semi join hits as h on h.row_id = q.rowid"
        )
        self._count(relation, "gone_refused")

    def quarantined(self, slug: str) -> None:
        """Note what the push refused, and which of it has landed again since."""
        if not columns_of(self.connection, QUARANTINE):
            return
        mine = f"tenant_slug = {quoted_text(slug)}"
        self._hits(self._refused_query(QUARANTINE, mine, platform="source_platform"))
        self.connection.execute("insert into gone_quarantined select row_id from hits")
        self._count(QUARANTINE, "gone_quarantined")
        if not columns_of(self.connection, ROW_DECISIONS):
            return
        decided = {
            identity
            for (identity,) in self.connection.execute(
                f"select quarantine_id from {ROW_DECISIONS} where {mine} and decision = ?",
                [_REPLAYED],
            ).fetchall()
        }
        for load_id, load_row, error, *place in self.connection.execute(
            "select q.load_id, q.load_row, q.error, q.source_platform, q.connection, q.object, "
            f"l.landed_table from {QUARANTINE} as q "
            "semi join gone_quarantined as g on g.row_id = q.rowid "
            "inner join (select distinct tenant_slug, source_platform, connection, object, load_id,"
            " landed_table from ops.platform_ops__push_ledger) as l using (tenant_slug, "
            "source_platform, connection, object, load_id)"
        ).fetchall():
            platform, connection, object_, table = place
            if row_id(slug, table, load_id, load_row, error) in decided:
                self.found.replayed[platform, connection, object_, f"{load_id} {table}"] += 1

    def _refused_query(self, relation: str, where: str, platform: str = "platform") -> str:
        """Return the query over refused records, each read by the fields of its object."""
        places = self.connection.execute(
            f"select distinct {platform}, object from {relation} where {where}"
        ).fetchall()
        cases = " ".join(
            f"when {platform} = {quoted_text(p)} and object = {quoted_text(o)} "
            f"then {identifiers_of_document('raw_record', subject_paths(p, o))}"
            for p, o in places
        )
        named = f"case {cases} else [] end" if cases else "[]::varchar[]"
        return (
            f"select rowid as row_id, {named} as named, {addresses(['raw_record'])} as written "
            f"from {relation} where {where}"
        )

    def _hits(self, query: str) -> None:
        """Make `hits`: the rows of a query that name an erased person."""
        self.connection.execute(f"create or replace temp table candidates as {query}")
        texts = self._texts(
            "select distinct unnest(list_concat(named, written)) as text from candidates"
        )
        known = self.erased.among(texts)
        self.found.values |= known
        self.connection.register("known", pa.table({"text": pa.array(sorted(known), pa.string())}))
        self.connection.execute(
            "create or replace temp table hits as select row_id from candidates where list_has_any("
            "list_concat(named, written), (select coalesce(list(text), []) from known))"
        )
        self.connection.unregister("known")
        self.found.linked |= (
            set(
                self._texts(
                    "select distinct unnest(named) as text from candidates semi join hits "
                    "using (row_id)"
                )
            )
            - known
        )

    def _texts(self, query: str) -> Iterable[str]:
        return [text for (text,) in self.connection.execute(query).fetchall()]

    def _count(self, relation: str, gone: str) -> None:
        ((rows,),) = self.connection.execute(f"select count(*) from {gone}").fetchall()
        if rows:
            self.found.places[relation] += rows


def _json_path(path: tuple[str, ...]) -> str:
    return "$" + "".join(f'."{step}"' for step in path)
