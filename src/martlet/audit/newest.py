"""What the newest landed records say: a record's last row, unless it is gone, read as amounts."""

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from martlet.audit.amounts import (
    CURRENCIES,
    ORDERS,
    SPEND,
    VISITS,
    CurrencyList,
    OrderTotals,
    SpendReport,
    Visits,
)
from martlet.audit.landed import LandedTable, day_of
from martlet.config.tenants import Tenant
from martlet.engines.duckdb_engine import quoted_text

_Kind = SpendReport | CurrencyList | OrderTotals | Visits
_TARGETS = {
    SpendReport: "audit_spend",
    CurrencyList: "audit_currencies",
    OrderTotals: "audit_orders",
    Visits: "audit_visits",
}
_TABLES = {
    "audit_spend": "platform varchar, connection varchar, load_id varchar, day date, "
    "entity varchar, rank integer, amount decimal(38, 6), divisor integer, currency varchar, "
    "reference varchar",
    "audit_currencies": "platform varchar, connection varchar, load_id varchar, "
    "reference varchar, currency varchar",
    "audit_orders": "platform varchar, connection varchar, load_id varchar, order_id varchar, "
    "amount decimal(38, 6), currency varchar",
    "audit_visits": "platform varchar, connection varchar, load_id varchar, visitor varchar, "
    "session varchar",
    "audit_defaults": "platform varchar, connection varchar, currency varchar",
}


def begin_money(warehouse: DuckDBPyConnection, tenant: Tenant) -> None:
    """Make the temporary tables that `collect_money` fills, object by object."""
    for name, columns in _TABLES.items():
        warehouse.execute(f"create or replace temp table {name} ({columns})")
    for source in tenant.enabled_sources():
        for slug, connection in source.connections.items():
            currency = connection.effective_currency(tenant)
            warehouse.execute(
                "insert into audit_defaults values (?, ?, ?)", [source.platform, slug, currency]
            )


def collect_money(
    warehouse: DuckDBPyConnection, tenant: Tenant, tables: Sequence[LandedTable]
) -> None:
    """Add what the newest records of one object say; `prepare_landed` must have read its tables."""
    platform, object_ = tables[0].platform, tables[0].object
    wanted: list[_Kind] = [report for report in SPEND.get(platform, ()) if report.object == object_]
    currencies = CURRENCIES.get(platform)
    if currencies and currencies.object == object_:
        wanted.append(currencies)
    if object_ == "orders" and platform in ORDERS:
        wanted.append(ORDERS[platform])
    if object_ == "events" and platform in VISITS:
        wanted.append(VISITS[platform])
    if not wanted:
        return
    _make_newest(warehouse, has_loads=any(table.has_loads for table in tables))
    for number, table in enumerate(tables):
        for kind in wanted:
            warehouse.execute(_reading(kind, table, number, tenant))


def _make_newest(warehouse: DuckDBPyConnection, *, has_loads: bool) -> None:
    """Make `audit_newest`: the last row of each record, unless it was deleted or is gone.

    A record is gone where a complete load, taken later, covers its place: had the load brought it,
    that row would be the last one.
    """
    gone = """
        anti join audit_loads as l
            on l.is_complete
            and (l.extracted_at, l.load_id) > (n.extracted_at, n.load_id)
            and (not l.is_scoped or (
                coalesce(n.day between l.scope_start and l.scope_end, false)
                and (l.accounts = [] or n.account is null
                    or list_contains(l.accounts, n.account))
            ))
    """
    warehouse.execute(
        f"""
        create or replace temp table audit_newest as
        with last as (
            select * from audit_rows
            where not is_rejected
            qualify row_number() over (
                partition by skey order by extracted_at desc, load_id desc, load_row desc
            ) = 1
        )
        select n.table_number, n.row_id, n.load_id
        from last as n
        {gone if has_loads else ""}
        where not n.is_deleted
        """
    )


def _reading(kind: _Kind, table: LandedTable, number: int, tenant: Tenant) -> str:
    """Return the statement that adds one object's newest records to one of the audit's tables."""
    fields = ", ".join(f"{sql} as {name}" for name, sql in _fields(kind, table).items())
    read, condition = "* exclude (row_id, table_number)", "true"
    if isinstance(kind, Visits):
        session = kind.session or "null"
        read = f"load_id, cast({kind.visitor} as varchar) as visitor, "
        read += f"cast({session} as varchar) as session"
        condition = kind.is_in_session
    return (
        f"insert into {_TARGETS[type(kind)]} by name "
        f"select {quoted_text(table.platform)} as platform, "
        f"{quoted_text(table.connection)} as connection, {read} "
        f"from (select rowid as row_id, {fields} from {table.relation} "
        f"where {_counts(kind, table, tenant)}) "
        f"inner join (select * from audit_newest where table_number = {number}) using (row_id) "
        f"where {condition}"
    )


def _fields(kind: _Kind, table: LandedTable) -> dict[str, str]:
    """Return what is read of a landed row, in SQL by name."""
    match kind:
        case SpendReport():
            return {
                "day": day_of(_text(table, kind.day)),
                "entity": f"nullif(split_part({_text(table, kind.entity)}, ':', -1), '')",
                "rank": str(kind.rank),
                "amount": f"try_cast({_text(table, kind.amount)} as decimal(38, 6))",
                "divisor": str(kind.divisor),
                "currency": f"nullif(nullif({_text(table, kind.currency)}, ''), '-')",
                "reference": _number(table, kind.reference),
            }
        case CurrencyList():
            return {
                "reference": _number(table, kind.id),
                "currency": _text(table, kind.currency),
            }
        case OrderTotals():
            return {
                "order_id": table.field("order_id"),
                "amount": f"try_cast({_text(table, kind.amount)} as decimal(38, 6))",
                "currency": f"nullif({_text(table, kind.currency)}, '')",
            }
        case Visits():
            return {name: _text(table, paths) for name, paths in kind.texts.items()}


def _counts(kind: _Kind, table: LandedTable, tenant: Tenant) -> str:
    """Return the condition that a row counts in the fact."""
    if isinstance(kind, SpendReport):
        return _slice(table, tenant)
    if not isinstance(kind, OrderTotals):
        return "true"
    gone = _text(table, kind.gone)
    if not kind.gone_values:
        return f"{gone} is null"
    listed = ", ".join(quoted_text(value) for value in kind.gone_values)
    return f"coalesce(lower({gone}) not in ({listed}), true)"


def _text(table: LandedTable, paths: tuple[str, ...]) -> str:
    return table.text(paths) or "cast(null as varchar)"


def _number(table: LandedTable, paths: tuple[str, ...]) -> str:
    """Return the first number in a text: the id in a resource name or a URN."""
    return f"regexp_extract({_text(table, paths)}, '[0-9]+')"


def _slice(table: LandedTable, tenant: Tenant) -> str:
    """Return the condition for the rows that count for this platform of Meta's two."""
    meta = {"facebook_ads", "instagram_ads"}
    if table.platform not in meta:
        return "true"
    shown_on = table.text(("$.publisher_platform",)) or "cast(null as varchar)"
    both = meta <= {source.platform for source in tenant.enabled_sources()}
    if table.platform == "facebook_ads":
        return f"{shown_on} is distinct from 'instagram'" if both else "true"
    is_instagram = f"{shown_on} = 'instagram'"
    return is_instagram if both else f"coalesce({is_instagram}, true)"
