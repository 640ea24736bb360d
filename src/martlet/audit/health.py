"""What is odd without being wrong: quiet sources and unusual volumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from duckdb import DuckDBPyConnection

from martlet.audit.landed import LandedTable
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.pipeline.audit import LEDGER

MAX_DEVIATION = 6.0
VOLUME_DAYS = 14
MIN_VOLUMES = 7
# Of a volume that hardly ever varies, this share is still no anomaly.
_USUAL_SHARE = 0.05
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class Freshness:
    """When a source was last extracted; `hours` ago. `is_stale` where that is too long."""

    platform: str
    connection: str
    object: str
    extracted_at: datetime
    hours: float
    is_stale: bool


@dataclass(frozen=True)
class Volume:
    """The rows that a table's last day brought, against the days before; `deviation` is robust."""

    table: str
    day: str
    rows: int
    usual: float
    deviation: float

    @property
    def is_anomaly(self) -> bool:
        return abs(self.deviation) > MAX_DEVIATION


def freshness(
    warehouse: DuckDBPyConnection,
    tables: Sequence[LandedTable],
    *,
    now: datetime,
    stale_after_hours: float,
) -> list[Freshness]:
    """Return each source's newest extraction; `now` is UTC without a zone."""
    newest: dict[tuple[str, str, str], datetime] = {}
    for table in tables:
        query = f"select max(moment) from ({_extractions(table)})"
        key = (table.platform, table.connection, table.object)
        for (moment,) in warehouse.execute(query).fetchall():
            if moment is not None:
                newest[key] = max(moment, newest.get(key, moment))
    found = []
    for (platform, connection, object_), moment in sorted(newest.items()):
        hours = (now - moment).total_seconds() / 3600
        found.append(
            Freshness(
                platform, connection, object_, moment, round(hours, 1), hours > stale_after_hours
            )
        )
    return found


def volumes(warehouse: DuckDBPyConnection, tables: Sequence[LandedTable]) -> list[Volume]:
    """Return how far each table's last day is from the 14 days before it; 7 are needed."""
    found = []
    for table in tables:
        days = warehouse.execute(
            f"select cast(moment as date) as day, sum(rows) from ({_extractions(table)}) "
            "where moment is not null group by 1 order by 1"
        ).fetchall()
        if not days:
            continue
        last, rows = days[-1]
        before = [int(n) for day, n in days[:-1] if (last - day).days <= VOLUME_DAYS]
        if len(before) >= MIN_VOLUMES:
            usual = median(before)
            found.append(
                Volume(table.table, str(last), int(rows), usual, deviation(int(rows), before))
            )
    return found


def deviation(value: int, before: Sequence[int]) -> float:
    """Return how many usual deviations a value is from the median: robust against single days."""
    usual = median(before)
    spread = _MAD_TO_DEVIATION * median(abs(n - usual) for n in before)
    return round((value - usual) / max(spread, _USUAL_SHARE * usual, 1.0), 2)


def _extractions(table: LandedTable) -> str:
    """Return the query for a table's loads: moment and rows; of other loaders, what was pushed."""
    if table.has_provenance and table.accounts is None and table.has_loads:
        return (
            "select distinct _dlt_load_id, cast(extracted_at as timestamp) as moment, "
            "rows_received as rows "
            f"from landing.{quoted_name(table.schema)}._martlet_loads "
            f"where table_name = {quoted_text(table.table)}"
        )
    return (
        f"select load_id, extracted_at as moment, rows_landed as rows from {LEDGER} "
        f"where tenant_slug = {quoted_text(table.tenant)} "
        f"and landed_table = {quoted_text(table.table)} "
        f"and connection = {quoted_text(table.connection)}"
    )
