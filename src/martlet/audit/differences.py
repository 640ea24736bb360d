"""The replay against ledger and master: what differs, load by load."""

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.audit.landed import LandedTable, loads_query
from martlet.audit.replay import COUNTS, expect_versions, number_of, place_of
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.pipeline.audit import LEDGER, BrokenLoad


@dataclass(frozen=True)
class Replayed:
    """What the replay of one object of one connection found; `pending` loads await the next run.

    `is_other_claim`: the tenant claims other accounts of a shared table than those that were pushed
    for it, so that its facts cannot be compared with what landed.
    """

    loads: int
    pending: int
    rows: int
    versions: int
    broken: tuple[BrokenLoad, ...]
    is_other_claim: bool = False


def replay_object(
    warehouse: DuckDBPyConnection, tables: Sequence[LandedTable], master: str, pending: int
) -> Replayed:
    """Compare what `prepare_landed` prepared with the ledger and the master, load by load.

    Where several tables fill the object, or its loader numbers no loads, the order of the pushes is
    not known from outside: then only the newest version of every record is compared.
    """
    (first, *others) = tables
    broken = _unbalanced(warehouse, first)
    versions = 0
    is_shared = any(table.accounts is not None and table.has_loads for table in tables)
    is_claimed = is_shared and _claims(warehouse, ">")
    if is_claimed:
        pass  # the next run pushes what is missing
    elif others or not first.has_loads or is_shared:
        broken += _wrong_newest(warehouse, first, master)
    else:
        expect_versions(warehouse)
        broken += _wrong_counts(warehouse, first)
        broken += _wrong_versions(warehouse, first, master)
        broken += _wrong_payloads(warehouse, first, master)
        versions = number_of(warehouse, "select count(*) from audit_expected")
    return Replayed(
        loads=number_of(warehouse, "select count(distinct load_id) from audit_ledger"),
        pending=pending,
        rows=number_of(warehouse, "select count(*) from audit_landed"),
        versions=versions,
        broken=tuple(broken),
        is_other_claim=is_claimed or (is_shared and _claims(warehouse, "<")),
    )


def shared_table_losses(warehouse: DuckDBPyConnection, table: LandedTable) -> list[BrokenLoad]:
    """Return the loads of a shared table whose rows the ledgers of all tenants do not add up to."""
    rows = warehouse.execute(
        f"""
        with landed as (
            select _dlt_load_id as load_id, count(*) as landed from {table.relation} group by 1
        ),
        ledger as (
            select load_id, sum(rows_landed) as told from {LEDGER}
            where landed_table = {quoted_text(table.table)} group by 1
        )
        select load_id, landed, told
        from (
            select load_id, coalesce(landed, 0) + refused + coalesce(erased, 0) as landed, told,
                max(load_id) filter (
                    told = coalesce(landed, 0) + refused + coalesce(erased, 0)
                ) over () as settled
            from ({loads_query(table)})
            left join landed using (load_id)
            inner join ledger using (load_id)
        )
        -- of the newest loads some tenants may not have had their run yet
        where told > landed or told < landed and load_id < settled
        order by load_id
        """
    ).fetchall()
    return [
        BrokenLoad(
            naming.UNASSIGNED,
            table.table,
            load_id,
            f"{landed} rows landed, the ledger has {told} of all tenants and of nobody",
        )
        for load_id, landed, told in rows
    ]


def _claims(warehouse: DuckDBPyConnection, sign: str) -> bool:
    """Say whether a shared load has more, or fewer, rows of the tenant now than were pushed for it.

    More: an account was claimed since. Fewer: one was given up, and its rows stay in the master.
    """
    query = (
        "select count(*) from "
        "(select load_id, count(*) as landed from audit_landed group by sequence, load_id) as l "
        "full join (select load_id, sum(landed) as told from audit_ledger group by 1) as g "
        f"using (load_id) where coalesce(l.landed, 0) {sign} coalesce(g.told, 0)"
    )
    return number_of(warehouse, query) > 0


def _unbalanced(warehouse: DuckDBPyConnection, table: LandedTable) -> list[BrokenLoad]:
    """Return the loads whose ledger does not add up in itself."""
    return [
        BrokenLoad(
            table.tenant,
            landed_table,
            load_id,
            f"the ledger has {landed} rows landed, but {accounted} pushed, known, quarantined or "
            "erased",
        )
        for load_id, landed_table, landed, accounted in warehouse.execute(
            "select load_id, landed_table, landed, pushed + known + quarantined + erased "
            "from audit_ledger where landed != pushed + known + quarantined + erased order by all"
        ).fetchall()
    ]


def _wrong_counts(warehouse: DuckDBPyConnection, table: LandedTable) -> list[BrokenLoad]:
    """Return the loads of which the ledger tells other counts than the replay."""
    rows = warehouse.execute(
        f"""
        with rejected as (
            select sequence, count(*) as rejected from audit_rows where is_rejected group by 1
        ),
        landed as (select sequence, count(*) as landed from audit_landed group by 1),
        made as (
            select load_id, count(*) filter (load_row >= 0) as pushed,
                count(*) filter (load_row < 0) as tombstoned
            from audit_expected group by 1
        ),
        expected as (
            select
                load_id,
                coalesce(landed, 0) + refused + coalesce(l.erased, g.erased, 0) as landed,
                coalesce(pushed, 0) as pushed,
                coalesce(landed, 0) - coalesce(pushed, 0) - coalesce(rejected, 0) as known,
                coalesce(rejected, 0) + refused as quarantined,
                coalesce(l.erased, g.erased, 0) as erased,
                coalesce(tombstoned, 0) as tombstoned
            from audit_loads as l
            left join landed using (sequence)
            left join rejected using (sequence)
            left join made using (load_id)
            left join (select load_id, erased from audit_ledger) as g using (load_id)
        )
        select load_id, g.entries, {", ".join(f"e.{n}, g.{n}" for n in COUNTS)}
        from expected as e
        full join audit_ledger as g using (load_id)
        where not coalesce(e.load_id is null and g.landed = g.erased and g.entries = 1, false)
            and (g.entries is distinct from 1
            or {" or ".join(f"e.{n} is distinct from g.{n}" for n in COUNTS)})
        order by load_id
        """
    ).fetchall()
    return [
        BrokenLoad(table.tenant, table.table, load_id, _told(entries, counts))
        for load_id, entries, *counts in rows
    ]


def _told(entries: int | None, counts: list[int | None]) -> str:
    pairs = list(zip(COUNTS, counts[::2], counts[1::2], strict=True))
    if entries is None:
        landed = pairs[0][1]
        return f"{landed} rows landed, and the ledger has no row for it although later loads have"
    if pairs[0][1] is None:
        return f"the ledger has {pairs[0][2]} rows of it, and the landed table has no such load"
    if entries > 1:
        return f"the ledger has {entries} rows for it"
    wrong = [
        f"{name} {expected}, the ledger says {told}"
        for name, expected, told in pairs
        if expected != told
    ]
    return "the landings give " + "; ".join(wrong)


def _wrong_versions(
    warehouse: DuckDBPyConnection, table: LandedTable, master: str
) -> list[BrokenLoad]:
    """Return the loads whose versions in the master are not those of the replay."""
    rows = warehouse.execute(
        f"""
        with stored as (
            select load_id, load_row, tenant_skey as skey, count(*) as copies,
                any_value(record_hash) as record_hash, any_value(is_deleted) as is_deleted,
                any_value(extracted_at) as extracted_at
            from platform.{quoted_name(master)}
            where {place_of(table)}
            group by all
        ),
        compared as (
            select
                load_id, skey,
                s.copies is null as is_missing,
                e.record_hash is null as is_unexplained,
                coalesce(s.copies > 1, false) as is_doubled,
                s.copies is not null and e.record_hash is not null and (
                    s.record_hash is distinct from e.record_hash
                    or s.is_deleted is distinct from e.is_deleted
                    or s.extracted_at is distinct from e.extracted_at
                ) as is_changed
            from audit_expected as e
            full join stored as s using (load_id, load_row, skey)
        )
        select
            load_id,
            count(*) filter (is_missing), min(skey) filter (is_missing),
            count(*) filter (is_unexplained), min(skey) filter (is_unexplained),
            count(*) filter (is_doubled), min(skey) filter (is_doubled),
            count(*) filter (is_changed), min(skey) filter (is_changed)
        from compared
        where is_missing or is_unexplained or is_doubled or is_changed
        group by load_id
        order by load_id
        """
    ).fetchall()
    says = (
        f"{{}} rows are missing from {master}",
        f"{{}} rows of {master} come from no landed row",
        f"{{}} rows are in {master} more than once",
        f"{{}} rows of {master} have another hash, deletion or moment than what landed",
    )
    return [
        BrokenLoad(
            table.tenant,
            table.table,
            load_id,
            "; ".join(
                f"{say.format(count)} (tenant_skey {skey})"
                for say, count, skey in zip(says, found[::2], found[1::2], strict=True)
                if count
            ),
        )
        for load_id, *found in rows
    ]


def _wrong_payloads(
    warehouse: DuckDBPyConnection, table: LandedTable, master: str
) -> list[BrokenLoad]:
    """Return the loads of which a stored record is not, text by text, the landed one.

    Rows that were pushed when the table had another shape may spell a number differently.
    """
    rows = warehouse.execute(
        f"""
        select m.load_id, count(*), min(m.tenant_skey)
        from platform.{quoted_name(master)} as m
        inner join audit_rows as r
            on r.load_id = m.load_id and r.load_row = m.load_row and r.skey = m.tenant_skey
        inner join (
            select rowid as row_id, {table.payload} as payload from {table.relation}
        ) as t on t.row_id = r.row_id
        where
            {place_of(table).replace("tenant_slug", "m.tenant_slug", 1)}
            and m.source_schema_hash = {quoted_text(table.source_schema_hash)}
            and cast(m.raw_data_payload as varchar) is distinct from t.payload
        group by m.load_id
        order by m.load_id
        """
    ).fetchall()
    return [
        BrokenLoad(
            table.tenant,
            table.table,
            load_id,
            f"{count} payloads of {master} are not what landed (tenant_skey {skey})",
        )
        for load_id, count, skey in rows
    ]


def _wrong_newest(
    warehouse: DuckDBPyConnection, table: LandedTable, master: str
) -> list[BrokenLoad]:
    """Return the loads of records whose newest landed row is not what the master ends with."""
    rows = warehouse.execute(
        f"""
        with landed as (
            select skey, load_id, record_hash
            from audit_rows
            where not is_rejected
            qualify row_number() over (
                partition by skey order by extracted_at desc, load_id desc, load_row desc
            ) = 1
        ),
        stored as (
            select tenant_skey as skey, record_hash, is_deleted
            from platform.{quoted_name(master)}
            where {place_of(table)}
            qualify row_number() over (
                partition by tenant_skey order by extracted_at desc, load_id desc, load_row desc
            ) = 1
        )
        select l.load_id, count(*), min(l.skey)
        from landed as l
        left join stored as s using (skey)
        where
            s.skey is null
            or s.record_hash != l.record_hash
            and s.record_hash != cast(md5('gone ' || l.record_hash) as uuid)
        group by l.load_id
        order by l.load_id
        """
    ).fetchall()
    return [
        BrokenLoad(
            table.tenant,
            table.table,
            load_id or "(the table as it is now)",
            f"{count} records are not in {master} as they landed last (tenant_skey {skey})",
        )
        for load_id, count, skey in rows
    ]
