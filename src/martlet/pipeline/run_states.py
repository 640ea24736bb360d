"""What the last good run of each tenant was made from, and what it told.

The record lies in the warehouse that the run made: a warehouse that is restored or lost takes with
it what is known of it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from duckdb import DuckDBPyConnection

from martlet.engines.duckdb_engine import quoted_text
from martlet.engines.engine import transaction

STATES = "ops.run_states"
LANDING = "ops.landing_states"

# What something was made from, by name; a text that is equal exactly when nothing has changed.
Inputs = Mapping[str, str]


@dataclass(frozen=True)
class RunState:
    """One tenant's last good run.

    `shapes` are the fingerprints of its landed tables, None where one of them could not be routed.
    `told` is what its report said of the tenant, as the next run says it again.
    """

    tenant: str
    inputs: Inputs
    shapes: tuple[str, ...] | None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LandingState:
    """What lay in the landing file when it was last looked at; `stamp` is the file's own.

    `tables` are the names by schema, of schemas that this process has looked into itself.
    """

    stamp: str
    digests: Mapping[str, str]
    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def create_states(warehouse: DuckDBPyConnection) -> None:
    """Create the tables of both records where there are none."""
    warehouse.execute("create schema if not exists ops")
    warehouse.execute(
        f"create table if not exists {STATES} (tenant_slug varchar, inputs json, shapes json, "
        "told json, recorded_at timestamp)"
    )
    warehouse.execute(f"create table if not exists {LANDING} (stamp varchar, digests json)")


def read_states(warehouse: DuckDBPyConnection, slugs: Iterable[str]) -> dict[str, RunState]:
    """Return the last good runs of these tenants, as far as they have any."""
    rows = warehouse.execute(f"select tenant_slug, inputs, shapes, told from {STATES}").fetchall()
    wanted = {*slugs}  # parameters would make DuckDB import pandas, which takes longer
    return {
        slug: RunState(
            slug,
            json.loads(inputs),
            tuple(json.loads(shapes)) if shapes else None,
            json.loads(told),
        )
        for slug, inputs, shapes, told in rows
        if slug in wanted
    }


def forget_state(warehouse: DuckDBPyConnection, slug: str) -> None:
    """Forget a tenant's last good run: from now on, what it was made from is in doubt."""
    warehouse.execute(f"delete from {STATES} where tenant_slug = ?", [slug])


def keep_state(warehouse: DuckDBPyConnection, state: RunState) -> None:
    """Keep a good run as its tenant's last one."""
    with transaction(warehouse):
        forget_state(warehouse, state.tenant)
        warehouse.execute(
            f"insert into {STATES} values (?, ?, ?, ?, "
            "cast(current_timestamp at time zone 'UTC' as timestamp))",
            [
                state.tenant,
                json.dumps(dict(state.inputs)),
                None if state.shapes is None else json.dumps(state.shapes),
                json.dumps(dict(state.told)),
            ],
        )


def read_landing(warehouse: DuckDBPyConnection) -> LandingState | None:
    """Return what was last seen in the landing file, if anything."""
    row = warehouse.execute(f"select stamp, digests from {LANDING}").fetchone()
    return LandingState(row[0], json.loads(row[1])) if row else None


def keep_landing(warehouse: DuckDBPyConnection, state: LandingState) -> None:
    """Keep what was seen in the landing file."""
    values = quoted_text(state.stamp), quoted_text(json.dumps(dict(state.digests)))
    with transaction(warehouse):
        warehouse.execute(f"delete from {LANDING}")
        warehouse.execute(f"insert into {LANDING} values ({', '.join(values)})")
