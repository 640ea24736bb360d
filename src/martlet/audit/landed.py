"""Landed tables as the audit reads them: loads, and the rows that they brought, in narrow columns.

Keys and hashes are computed here from their definition (docs/reference/ledger_and_registry.md), not
by the macros that push: an error in one of the two shows as a difference.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenants import Tenant, TenantsFile
from martlet.contracts.base import Column, ObjectContract
from martlet.contracts.library import object_contract
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text
from martlet.pipeline.accounts import account_expression
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.routes import declared_tables
from martlet.registry.approvals import Aliases, stored_aliases
from martlet.registry.fingerprint import (
    CollidingColumnsError,
    is_bookkeeping,
    schema_fingerprint,
    type_family,
)

_STEP = re.compile(r'^\$\.(?:"(?P<quoted>[^"]+)"|(?P<plain>[^.\[]+))(?P<rest>.*)$')
_MOMENTS = (
    "_martlet_extracted_at",
    "_airbyte_extracted_at",
    "_airbyte_emitted_at",
    "_fivetran_synced",
    "_sdc_extracted_at",
    "_sdc_batched_at",
)
_DELETIONS = {
    "_fivetran_deleted": "coalesce(_fivetran_deleted, false)",
    "_ab_cdc_deleted_at": "_ab_cdc_deleted_at is not null",
    "_sdc_deleted_at": "_sdc_deleted_at is not null",
}


@dataclass(frozen=True)
class LandedTable:
    """One landed table of one connection's object; `accounts` only where tenants share it."""

    tenant: str
    platform: str
    object: str
    connection: str
    schema: str
    table: str
    columns: tuple[tuple[str, str], ...]
    accounts: tuple[str, ...] | None = None
    account_column: str = ""
    has_provenance: bool = False
    aliases: tuple[tuple[str, str], ...] = ()  # landed and published names, as approved
    unaliased_loads: tuple[str, ...] = ()  # pushed with this shape before it was approved

    @property
    def relation(self) -> str:
        return f"landing.{quoted_name(self.schema)}.{quoted_name(self.table)}"

    @property
    def contract(self) -> ObjectContract:
        return object_contract(self.platform, self.object)

    @property
    def folded(self) -> dict[str, str]:
        """Return folded column name to the name as the table spells it."""
        return {name.lower(): name for name, _ in self.columns}

    @property
    def has_loads(self) -> bool:
        return "_dlt_load_id" in self.folded

    @property
    def own(self) -> list[tuple[str, str]]:
        """Return the columns that are the record's."""
        return [(name, kind) for name, kind in self.columns if not is_bookkeeping(name)]

    @property
    def source_schema_hash(self) -> str:
        return schema_fingerprint(dict(self.columns))

    def text(self, paths: Iterable[str]) -> str | None:
        """Return the SQL of the first text that one of these JSON paths of a record leads to."""
        found = []
        for path in paths:
            step = _STEP.match(path)
            assert step is not None, path
            wanted = (step["quoted"] or step["plain"]).lower()
            stand_ins = {published.lower(): landed for landed, published in self.aliases}
            column = self.folded.get(wanted) or stand_ins.get(wanted)
            if column is None:
                continue
            name, rest = quoted_name(column), step["rest"]
            inner = f"json_extract_string({name}, {quoted_text('$' + rest)})"
            is_document = rest or (wanted in stand_ins and dict(self.columns)[column] == "JSON")
            found.append(inner if is_document else f"cast({name} as varchar)")
        return f"coalesce({', '.join(found)})" if found else None

    def field(self, name: str) -> str:
        """Return the text of a column of the contract; null where nothing of it has landed."""
        column = contract_column(self.contract, name)
        return self.text(column.paths) or "cast(null as varchar)"

    @property
    def load_row(self) -> str:
        return "_martlet_row" if "_martlet_row" in self.folded else "rowid"

    @property
    def extracted_at(self) -> str:
        for name in _MOMENTS:
            if name in self.folded:
                return f"cast(cast({name} as timestamptz) at time zone 'UTC' as timestamp)"
        if self.has_loads:
            return "make_timestamp(cast(cast(_dlt_load_id as double) * 1000000 as bigint))"
        return "timestamp '1970-01-01'"

    @property
    def is_deleted(self) -> str:
        found = [sql for name, sql in _DELETIONS.items() if name in self.folded]
        return found[0] if found else "false"

    @property
    def of_tenant(self) -> str:
        """Return the condition that a row is this tenant's."""
        if self.accounts is None:
            return "true"
        account = account_expression(self.account_column, [name for name, _ in self.columns])
        listed = ", ".join(quoted_text(a) for a in self.accounts) or "''"
        return f"{account} in ({listed})"

    @property
    def record_hash(self) -> str:
        """Return the hash of the record: its stated columns by name, each in one spelling.

        A column that stands for a published one goes by the published name.
        """
        return self._by_load(self._hash({}), self._hash(dict(self.aliases)))

    def _hash(self, names: dict[str, str]) -> str:
        named = sorted((names.get(name, name).lower(), name, kind) for name, kind in self.own)
        members = [
            f"case when {_is_stated(name, kind)} then {_label(label)} || "
            f"{_canonical(name, kind)} end"
            for label, name, kind in named
        ]
        members.append(f"case when {self.is_deleted} then 'deleted' end")
        return f"cast(md5(concat_ws(',', {', '.join(members)})) as uuid)"

    def _by_load(self, plain: str, aliased: str) -> str:
        """Return the expression that holds for a row's load: approvals count from then on."""
        if not self.aliases or not self.unaliased_loads:
            return aliased
        loads = ", ".join(map(quoted_text, self.unaliased_loads))
        return f"case when _dlt_load_id in ({loads}) then {plain} else {aliased} end"

    @property
    def payload(self) -> str:
        """Return the JSON text of the record; an aliased column is there under both names."""
        return self._by_load(self._payload({}), self._payload(dict(self.aliases)))

    def _payload(self, names: dict[str, str]) -> str:
        members = [
            f"case when {_is_stated(name, kind)} then {_label(label)} || {_json(name, kind)} end"
            for name, kind in self.own
            for label in dict.fromkeys((name, names.get(name, name)))
        ]
        return f"'{{' || concat_ws(',', {', '.join(members)}) || '}}'"

    def key(self, identity: Iterable[str]) -> str:
        """Return the surrogate key over the record's own identity."""
        who = (self.tenant, self.platform, self.connection, self.object)
        parts = [*map(quoted_text, who), *(f"cast({part} as varchar)" for part in identity)]
        return f"md5(to_json([{', '.join(parts)}]))"


def contract_column(contract: ObjectContract, name: str) -> Column:
    """Return one column of a contract."""
    return next(column for column in contract.columns if column.name == name)


def landed_tables(
    warehouse: DuckDBPyConnection, tenant: Tenant, tenants: TenantsFile
) -> list[LandedTable]:
    """Return the tables that landed for a tenant: declared ones, and those the ledger knows."""
    columns = _columns(warehouse)
    shared = {landing.table: landing for landing in tenants.shared_landings}
    places = {
        (d.platform, d.object, d.connection, d.schema, d.table): None
        for d in declared_tables(tenant, tenants)
    }
    own = naming.landed_schema(tenant.slug)
    for platform, object_, connection, table in _in_ledger(warehouse, tenant.slug):
        if table not in shared:
            places[platform, object_, connection, own, table] = None
    tables = [
        LandedTable(
            tenant.slug,
            platform,
            object_,
            connection,
            schema,
            table,
            columns[schema, table],
            accounts=_accounts(tenant, tenants, platform, connection)
            if schema == naming.SHARED_SCHEMA
            else None,
            account_column=shared[table].account_column if table in shared else "",
            has_provenance=(schema, "_martlet_loads") in columns,
        )
        for platform, object_, connection, schema, table in places
        if (schema, table) in columns
    ]
    if not columns_of(warehouse, LEDGER):
        return tables
    aliases = stored_aliases(warehouse)
    return [_with_aliases(warehouse, table, aliases) for table in tables]


def _in_ledger(warehouse: DuckDBPyConnection, slug: str) -> list[tuple[str, str, str, str]]:
    """Return platform, object, connection and table of what was ever pushed."""
    if not columns_of(warehouse, LEDGER):
        return []
    return warehouse.execute(
        f"select distinct source_platform, object, connection, landed_table from {LEDGER} "
        "where tenant_slug = ? order by all",
        [slug],
    ).fetchall()


def _with_aliases(
    warehouse: DuckDBPyConnection, table: LandedTable, known: dict[tuple[str, str, str], Aliases]
) -> LandedTable:
    if not known or not table.own:
        return table
    try:
        found = known.get((table.platform, table.object, table.source_schema_hash))
    except CollidingColumnsError:
        return table
    if found is None:
        return table
    before = warehouse.execute(
        f"select load_id from {LEDGER} where tenant_slug = ? and landed_table = ? "
        "and source_schema_hash = ? and pushed_at < ? order by 1",
        [table.tenant, table.table, table.source_schema_hash, found.approved_at],
    ).fetchall()
    return replace(
        table, aliases=found.names, unaliased_loads=tuple(dict.fromkeys(row[0] for row in before))
    )


def missing_keys(table: LandedTable) -> list[str]:
    """Return the key columns that nothing in the table can be read for."""
    return [
        name
        for name in table.contract.key
        if table.text(contract_column(table.contract, name).paths) is None
    ]


def loads_query(table: LandedTable) -> str:
    """Return the query for the table's finished loads, and what they say of a lack."""
    schema = f"landing.{quoted_name(table.schema)}"
    finished = f"select distinct load_id from {schema}._dlt_loads where status = 0"
    if table.has_provenance:
        return f"""
            select distinct
                _dlt_load_id as load_id,
                is_complete and mode in ('snapshot', 'replace_scope') as is_complete,
                mode = 'replace_scope' as is_scoped,
                coalesce(from_json(scope_accounts, '["VARCHAR"]'), []) as accounts,
                cast(scope_start as date) as scope_start,
                cast(scope_end as date) as scope_end,
                cast(extracted_at as timestamp) as extracted_at,
                cast(rows_quarantined as bigint) as refused,
                cast(rows_received - rows_accepted - rows_quarantined as bigint) as erased
            from {schema}._martlet_loads
            where
                table_name = {quoted_text(table.table)}
                and _dlt_load_id in ({finished})
        """
    return f"""
        select
            _dlt_load_id as load_id, false as is_complete, false as is_scoped,
            cast([] as varchar[]) as accounts,
            cast(null as date) as scope_start, cast(null as date) as scope_end,
            max({table.extracted_at}) as extracted_at, cast(0 as bigint) as refused,
            cast(null as bigint) as erased -- only the ledger knows
        from {table.relation}
        where _dlt_load_id in ({finished})
        group by 1
    """


def rows_query(table: LandedTable, number: int) -> str:
    """Return the query for the table's rows: identity, order, and where in a scope they lie.

    `number` tells the tables of one object apart; `row_id` is the row's place in its table.
    """
    contract = table.contract
    keys = [table.field(name) for name in (*contract.key, *contract.optional_key)]
    missing = " or ".join(f"{table.field(name)} is null" for name in contract.key)
    load = "_dlt_load_id" if table.has_loads else "cast(null as varchar)"
    occurrence = "1"
    if not contract.key:
        occurrence = "dense_rank() over (partition by load_id, record_hash order by load_row)"
    identity = [f"key_{n}" for n in range(len(keys))] or ["record_hash", occurrence]
    return f"""
        select
            {number} as table_number, load_id, load_row, row_id,
            {table.key(identity)} as skey,
            record_hash, is_deleted, extracted_at, is_rejected, day, account
        from (
            select
                {load} as load_id, {table.load_row} as load_row, rowid as row_id,
                {"".join(f"{sql} as key_{n}, " for n, sql in enumerate(keys))}
                {table.record_hash} as record_hash,
                {table.is_deleted} as is_deleted,
                {table.extracted_at} as extracted_at,
                {missing or "false"} as is_rejected,
                {_scope_day(table)} as day,
                {_scope_account(table)} as account
            from {table.relation}
            where {table.of_tenant}
        ) as landed
    """


def day_of(text: str) -> str:
    """Return the date that a text states: ISO, compact, or year, month and day as an object."""
    parts = ", ".join(f"json_extract_string({text}, '$.{p}')" for p in ("year", "month", "day"))
    return (
        f"case when starts_with({text}, '{{') then try_cast(concat_ws('-', {parts}) as date) "
        f"when length({text}) = 8 then cast(try_strptime({text}, '%Y%m%d') as date) "
        f"else try_cast(left({text}, 10) as date) end"
    )


def _scope_day(table: LandedTable) -> str:
    scope = table.contract.scope
    return day_of(table.field(scope.date)) if scope else "cast(null as date)"


def _scope_account(table: LandedTable) -> str:
    scope = table.contract.scope
    return table.field(scope.account) if scope and scope.account else "cast(null as varchar)"


def _accounts(
    tenant: Tenant, tenants: TenantsFile, platform: str, connection: str
) -> tuple[str, ...]:
    claimed = set(tenant.sources[platform].connections[connection].accounts)
    return tuple(sorted(claimed - tenants.disputed_accounts(platform)))


def _columns(warehouse: DuckDBPyConnection) -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    tables: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for schema, table, name, kind in warehouse.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'landing' order by column_index"
    ).fetchall():
        tables.setdefault((schema, table), []).append((name, kind))
    return {place: tuple(columns) for place, columns in tables.items()}


def _label(name: str) -> str:
    return quoted_text(json.dumps(name) + ":")


def _is_stated(name: str, kind: str) -> str:
    column = quoted_name(name)
    finite = f" and isfinite({column})" if type_family(kind) == "float" else ""
    return f"{column} is not null{finite}"


def _json(name: str, kind: str) -> str:
    column = quoted_name(name)
    return f"cast({column} as varchar)" if kind == "JSON" else f"to_json({column})"


def _canonical(name: str, kind: str) -> str:
    """Return the value's one spelling: 1, 1.0 and 1.00 are the same, and so is a moment's zone."""
    column, family = quoted_name(name), type_family(kind)
    text = f"cast({column} as varchar)"
    if family in {"float", "decimal"}:
        has_zeros = f"contains({text}, '.') and not contains({text}, 'e')"
        return f"case when {has_zeros} then rtrim(rtrim({text}, '0'), '.') else {text} end"
    if family == "tstz":
        return f"to_json({column} at time zone 'UTC')"
    return text if family in {"int", "bool"} else _json(name, kind)
