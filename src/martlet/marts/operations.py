"""Publishes how runs, tests, loads and quarantine stand, to be read while the next run goes on.

A tenant's snapshot holds nothing of another tenant: rows by their tenant, definitions of models and
tests by whose files and models they name, and a message only when it names nobody else. The
operators' holds all rows. No snapshot holds a record that was quarantined.
"""

import random
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from duckdb import DuckDBPyConnection

from martlet.config.tenant import Tenant
from martlet.engines.duckdb_engine import WAREHOUSE_STORAGE_VERSION, columns_of, quoted_text
from martlet.marts.errors import PublishedMeanwhileError
from martlet.marts.folders import operations_folder
from martlet.marts.publish import attached, draft_file
from martlet.marts.versions import OPERATORS, WAIT_SECONDS
from martlet.settings import Settings

KEPT_SNAPSHOTS = 2
_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5
# Of each tenant: histories grow with every run, and a snapshot is written after every run.
INVOCATIONS_WITH_RESULTS = 200
QUARANTINED_ROWS = 10_000
WITHHELD = "this message names another tenant; operators can read it"

SNAPSHOT = "operations_draft"
_OPTIONS = f"block_size 16384, storage_version '{WAREHOUSE_STORAGE_VERSION}'"

_PLACE = "tenant_slug varchar, source_platform varchar, connection varchar, object varchar"
_INFO = "tenant_slug varchar, version varchar, published_at timestamp"
_AUDITS = "tenant_slug varchar, audited_at timestamp, audited_by varchar, broken_promises bigint"


class AuditOutcome(Protocol):
    """How an audit ended; `at` in ISO 8601."""

    @property
    def at(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def broken_promises(self) -> int: ...


@dataclass(frozen=True)
class History:
    """One table of a snapshot, read from `source` by `rows`; missing columns are null.

    `rows` sees `{source}`, other tables by their part of the name, and `{mine}` or `{visible}`, the
    condition on whose rows. `messages` are free texts; `internal` columns are null for tenants.
    """

    name: str
    source: str
    columns: str
    rows: str = "select * from {source} where {mine}"
    order: str = "all"
    messages: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()

    @property
    def column_names(self) -> list[str]:
        return [column.split()[0] for column in self.columns.split(",")]


# Whose a model is, is in its name and in the folder of its file; a slug never holds `__`.
_OWNER_OF_NAME = "regexp_extract(name, '^(?:stg|int|fct|dim)_([a-z][a-z0-9_]*?)__', 1)"
_OWNER_OF_PATH = (
    "regexp_extract(path, "
    "'^models/(?:staging|intermediate|analytics|analytics_extended)/([^/]+)/', 1)"
)
_OWNERS_OF_NODES = (
    "regexp_extract_all(cast({nodes} as varchar), '[.](?:stg|int|fct|dim)_([a-z][a-z0-9_]*?)__', 1)"
)
# Each node's newest definition: the tenant's own, and the shared ones that ran in its runs.
_DEFINED = (
    "select * from (select *, list_filter(list_concat(["
    + _OWNER_OF_NAME
    + ", "
    + _OWNER_OF_PATH
    + "], coalesce("
    + _OWNERS_OF_NODES
    + ", [])), owner -> owner != '') as owners from {{source}} qualify row_number() over "
    "(partition by node_id order by captured_at desc, invocation_id desc) = 1) where {{visible}}"
)
_QUARANTINED_ROWS = f"""
with
landed_tables as (
    select distinct tenant_slug, source_platform, connection, object, load_id, landed_table
    from {{ledger}}
),
decisions as (
    select quarantine_id, arg_max(decision, (decided_at, rowid)) as decision
    from {{decisions}}
    group by quarantine_id
),
identified as (
    select
        q.*,
        t.landed_table,
        md5(
            '[' || to_json(q.tenant_slug) || ', ' || to_json(coalesce(t.landed_table, '')) || ', '
            || to_json(q.load_id) || ', ' || q.load_row || ', ' || to_json(q.error) || ']'
        ) as quarantine_id,
    from {{source}} as q
    left join landed_tables as t using (
        tenant_slug, source_platform, connection, object, load_id
    )
    where {{mine}}
)
select i.*, coalesce(d.decision, 'open') as status
from identified as i
left join decisions as d using (quarantine_id)
qualify
    row_number() over (partition by tenant_slug order by quarantined_at desc, load_id, load_row)
    <= {QUARANTINED_ROWS}
"""
_LEDGER = "ops.platform_ops__push_ledger"
_DECISIONS = "ops.platform_ops__quarantine_decisions"
_RESULTS = "ops.run_results"
_CONFIGURATIONS = "platform.platform_sat__tenant_config_history"
_ROUTING = "platform.routing_decisions"
_ROUTED = (
    f"{_PLACE}, landed_table varchar, verdict varchar, source_schema_hash varchar, "
    "master_model varchar, differences json, reason varchar, decided_at timestamp"
)
HISTORIES = (
    History(
        "runs",
        "ops.invocations",
        "invocation_id varchar, tenant_slug varchar, recorded_by varchar, arguments json, "
        "code_version varchar, started_at timestamp, seconds double, peak_memory_bytes bigint, "
        "status varchar, models_run bigint, models_failed bigint, models_skipped bigint, "
        "problem varchar",
        order="started_at, invocation_id",
        messages=("problem",),
        internal=("arguments", "peak_memory_bytes"),
    ),
    History(
        "models",
        "ops.model_artifacts",
        "node_id varchar, name varchar, materialization varchar, schema_name varchar, "
        "path varchar, depends_on json, tags json, config json, definition_hash varchar, "
        "invocation_id varchar, captured_at timestamp",
        rows=_DEFINED.format(nodes="depends_on"),
        order="name, node_id",
    ),
    History(
        "run_results",
        _RESULTS,
        "invocation_id varchar, tenant_slug varchar, node_id varchar, name varchar, "
        "resource_type varchar, status varchar, message varchar, failures bigint, "
        "rows_affected bigint, execution_seconds double, started_at timestamp, "
        "captured_at timestamp",
        rows="select * from {source} where {mine} qualify dense_rank() over (partition by "
        f"tenant_slug order by captured_at desc, invocation_id) <= {INVOCATIONS_WITH_RESULTS}",
        order="captured_at, invocation_id, node_id",
        messages=("message",),
    ),
    History(
        "tests",
        "ops.test_artifacts",
        "node_id varchar, name varchar, target_models json, severity varchar, path varchar, "
        "definition_hash varchar, invocation_id varchar, captured_at timestamp",
        rows=_DEFINED.format(nodes="target_models"),
        order="name, node_id",
    ),
    History(
        "schema_history",
        "platform.platform_sat__source_schema_history",
        f"{_PLACE}, landed_table varchar, version_number bigint, source_schema_hash varchar, "
        "schema_family_hash varchar, columns json, difference json, verdict varchar, "
        "seen_at timestamp",
        order="tenant_slug, landed_table, version_number",
    ),
    History(
        "ledger",
        _LEDGER,
        f"{_PLACE}, load_id varchar, landed_table varchar, source_schema_hash varchar, "
        "load_mode varchar, scope_start date, scope_end date, extracted_at timestamp, "
        "rows_landed bigint, rows_pushed bigint, rows_known bigint, rows_quarantined bigint, "
        "rows_erased bigint, rows_tombstoned bigint, pushed_at timestamp",
        order="pushed_at, tenant_slug, source_platform, connection, object, load_id",
    ),
    History(
        "quarantine_rows",
        "ops.platform_ops__quarantine_rows",
        f"quarantine_id varchar, {_PLACE}, landed_table varchar, load_id varchar, "
        "load_row bigint, error varchar, path varchar, status varchar, quarantined_at timestamp",
        rows=_QUARANTINED_ROWS,
        order="quarantined_at, load_id, load_row, error",
        messages=("error",),
        computed=frozenset({"quarantine_id", "landed_table", "status"}),
    ),
    History(
        "quarantined_tables",
        _ROUTING,
        _ROUTED,
        rows="select * from {source} where {mine} qualify master_model is null and row_number() "
        "over (partition by tenant_slug, landed_table, object, connection "
        "order by decided_at desc, rowid desc) = 1",
        order="tenant_slug, landed_table, object, connection",
        messages=("reason",),
    ),
    History(
        "routing_decisions",
        _ROUTING,
        _ROUTED,
        order="decided_at, tenant_slug, landed_table, object, connection",
        messages=("reason",),
    ),
    History(
        "freshness",
        "ops.source_freshness",
        "invocation_id varchar, tenant_slug varchar, source_platform varchar, object varchar, "
        "connection varchar, newest_extracted_at timestamp, newest_load_id varchar, "
        "measured_at timestamp",
        rows="select * from {source} where {mine} qualify row_number() over (partition by "
        "tenant_slug, source_platform, object, connection "
        "order by measured_at desc, invocation_id) = 1",
        order="tenant_slug, source_platform, object, connection",
    ),
    History(
        "definitions",
        "ops.platform_ops__boring_semantic_layer",
        "tenant_slug varchar, version_number bigint, definition_digest varchar, "
        "definition json, made_at timestamp",
        order="tenant_slug, version_number",
    ),
)


def publish_operations(
    settings: Settings,
    warehouse: DuckDBPyConnection,
    tenants: Iterable[Tenant],
    *,
    audits: Mapping[str, AuditOutcome] | None = None,
    operators: bool = True,
    names: Iterable[str] = (),
    keep: int = KEPT_SNAPSHOTS,
    wait_seconds: float = WAIT_SECONDS,
) -> dict[str, str]:
    """Publish a snapshot of each tenant, and with `operators` the one of all; return the versions.

    What a young warehouse lacks is an empty table. `audits` are the newest by tenant. Of run
    results, the newest invocations of each tenant are in it, of quarantined rows the newest rows.
    `names` are further tenants that a message may name.
    """
    slugs = [tenant.slug for tenant in tenants]
    known = _known_columns(warehouse)
    foreign = _tenant_names(warehouse, known, {*slugs, *names})
    publisher = _Publisher(settings, warehouse, known, foreign, audits or {}, keep, wait_seconds)
    return {slug: publisher.settle(slug) for slug in [*slugs, *([OPERATORS] if operators else [])]}


@dataclass(frozen=True)
class _Publisher:
    """Writes snapshots from one warehouse."""

    settings: Settings
    warehouse: DuckDBPyConnection
    known: Mapping[str, set[str]]
    names: re.Pattern[str]
    audits: Mapping[str, AuditOutcome]
    keep: int
    wait_seconds: float

    def settle(self, slug: str) -> str:
        """Publish, again where another machine was faster; return the version that is read then.

        Every machine publishes the operators' snapshot, and no lease keeps them apart. When one
        keeps losing, another's that is about as new is in place.
        """
        for attempt in range(1, _ATTEMPTS):
            try:
                return self.publish(slug)
            except PublishedMeanwhileError:
                time.sleep(random.uniform(0, attempt * _PAUSE_SECONDS))
        try:
            return self.publish(slug)
        except PublishedMeanwhileError:
            version = operations_folder(self.settings, slug).current()
            if slug != OPERATORS or version is None:
                raise
            return version

    def publish(self, slug: str) -> str:
        """Write, swap in and return a new version; `slug` may be `OPERATORS`."""
        folder = operations_folder(self.settings, slug)
        with folder.lock(self.wait_seconds):
            folder.remove_leftovers()
            now = datetime.now(UTC)
            version = folder.next_version(now)
            with draft_file(folder, version) as path:
                with attached(self.warehouse, path, SNAPSHOT, _OPTIONS):
                    self._write(slug, version, now)
                folder.promote(path, version)
                folder.swap(version)
            folder.prune(self.keep)
        return version

    def _write(self, slug: str, version: str, now: datetime) -> None:
        foreign = None if slug == OPERATORS else self.names
        for history in HISTORIES:
            self._create(history.name, history.columns)
            if history.source in self.known:
                self._copy(history, self.known, slug, foreign)
        self._create("audits", _AUDITS)
        self._insert("audits", _audit_rows(self.audits, slug))
        self._create("snapshot_info", _INFO)
        self._insert("snapshot_info", [(slug, version, now.replace(tzinfo=None))])
        self.warehouse.execute(f"checkpoint {SNAPSHOT}")

    def _create(self, table: str, columns: str) -> None:
        self.warehouse.execute(f"create table {SNAPSHOT}.main.{table} ({columns})")

    def _insert(self, table: str, rows: list[tuple[object, ...]]) -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self.warehouse.executemany(
                f"insert into {SNAPSHOT}.main.{table} values ({places})", rows
            )

    def _copy(
        self,
        history: History,
        known: Mapping[str, set[str]],
        slug: str,
        foreign: re.Pattern[str] | None,
    ) -> None:
        """Copy what of a history the reader may see; `foreign` is None for operators."""
        rows = history.rows.format(
            source=history.source,
            ledger=_LEDGER if _LEDGER in known else _NO_LEDGER,
            decisions=_DECISIONS if _DECISIONS in known else _NO_DECISIONS,
            mine="true" if foreign is None else f"tenant_slug = {quoted_text(slug)}",
            visible="true" if foreign is None else _visible(slug, known),
        )
        present = known[history.source] | history.computed
        values: list[str] = []
        withheld: dict[str, list[str]] = {}
        for name in history.column_names:
            value = name if name in present else "null"
            if foreign and name in history.internal:
                value = "null"
            if foreign and name in history.messages and name in present:
                told = _foreign_messages(self.warehouse, history.source, name, slug, foreign)
                if told:
                    withheld[name] = told
                    value = f"if(list_contains(${name}, {name}), {quoted_text(WITHHELD)}, {name})"
            values.append(value)
        self.warehouse.execute(
            f"insert into {SNAPSHOT}.main.{history.name} "
            f"select {', '.join(values)} from ({rows}) order by {history.order}",
            withheld,
        )


# What stands for a table that the warehouse does not have yet.
_NO_LEDGER = (
    "(select null as tenant_slug, null as source_platform, null as connection, null as object, "
    "null as load_id, null as landed_table where false)"
)
_NO_DECISIONS = (
    "(select null as quarantine_id, null as decision, null as decided_at, 0 as rowid where false)"
)


def _visible(slug: str, known: Mapping[str, set[str]]) -> str:
    """Return the condition on definitions that a tenant may see: its own, and what ran for it."""
    own = quoted_text(slug)
    ran = f"node_id in (select node_id from {_RESULTS} where tenant_slug = {own})"
    return (
        f"len(list_filter(owners, owner -> owner != {own})) = 0 "
        f"and (list_contains(owners, {own}) or {ran if _RESULTS in known else 'false'})"
    )


def _foreign_messages(
    warehouse: DuckDBPyConnection, source: str, column: str, slug: str, names: re.Pattern[str]
) -> list[str]:
    """Return the tenant's messages that name another tenant."""
    texts = warehouse.execute(
        f"select distinct {column} from {source} where tenant_slug = ? and {column} is not null",
        [slug],
    ).fetchall()
    return [text for (text,) in texts if any(name != slug for name in names.findall(text))]


def _tenant_names(
    warehouse: DuckDBPyConnection, known: Mapping[str, set[str]], slugs: Collection[str]
) -> re.Pattern[str]:
    """Return what finds the tenants that a text names; where two fit, the longer one.

    Tenants are those of `slugs` and all that the warehouse has rows of.
    """
    names = {*slugs}
    for source, columns in known.items():
        if "tenant_slug" in columns:
            rows = warehouse.execute(f"select distinct tenant_slug from {source}").fetchall()
            names |= {name for (name,) in rows if name is not None}
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"(?<![a-z0-9])({'|'.join(longest_first)})(?![a-z0-9])")


def _known_columns(warehouse: DuckDBPyConnection) -> dict[str, set[str]]:
    """Return the columns of the warehouse's tables that snapshots are made of."""
    sources = {history.source for history in HISTORIES} | {_DECISIONS, _CONFIGURATIONS}
    found = {source: {*columns_of(warehouse, source)} for source in sources}
    return {source: columns for source, columns in found.items() if columns}


def _audit_rows(audits: Mapping[str, AuditOutcome], slug: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for tenant, audit in sorted(audits.items()):
        if slug in (tenant, OPERATORS):
            at = datetime.fromisoformat(audit.at)
            moment = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
            rows.append((tenant, moment, audit.by, audit.broken_promises))
    return rows
