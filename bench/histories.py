"""Makes histories: rows that were landed and pushed, day after day, as the product does it."""

from dataclasses import dataclass, field, replace
from typing import Any

from harness import Bench
from measuring import Reading, file_bytes, measured
from projects import ANALYTICS, META, copy_project, land_batches, new_project, run_tenants
from pushing import PushStage
from rows import KINDS, Kind, batch, table_of

from martlet import naming
from martlet.engines.duckdb_engine import connect, connect_warehouse
from martlet.landing.batches import LandedBatch
from martlet.settings import Settings

SLUG = "bench"
SOURCES = {"google_analytics": ANALYTICS, "facebook_ads": META, "shopify": {}}
PER_DAY = 10_000
ROWS_A_LOAD = 500_000


@dataclass
class History:
    """One tenant's object with `rows` landed and pushed; `first_push` is what growing has cost."""

    settings: Settings
    kind: Kind
    stage: PushStage
    rows: int = 0
    deliveries: int = 0
    first_push: Reading = field(default_factory=Reading)
    landing: Reading = field(default_factory=Reading)

    def land(self, count: int, *, first: int | None = None, revision: int = 0) -> None:
        """Land rows as one delivery: the next ones, or those from `first` on once more."""
        start = self.rows if first is None else first
        delivered = batch(
            self.kind,
            start,
            count,
            per_day=PER_DAY,
            delivery=self.deliveries,
            revision=revision,
        )
        with measured() as reading:
            land_batches(self.settings, SLUG, [delivered])
        self.landing.cpu += reading.cpu
        self.landing.wall += reading.wall
        self.deliveries += 1
        self.rows = max(self.rows, start + count)

    def grow(self, rows: int) -> None:
        """Land and push until there are so many rows."""
        while self.rows < rows:
            self.land(min(ROWS_A_LOAD, rows - self.rows))
            reading = self.stage.push()
            self.first_push.cpu += reading.cpu
            self.first_push.wall += reading.wall

    def newest_load(self) -> str:
        """Return the id of the load that was landed last."""
        table = naming.landed_table(SLUG, self.kind.platform, self.kind.object)
        with connect(self.settings.landing, read_only=True) as landing:
            ((load_id,),) = landing.execute(
                f"select max(_dlt_load_id) from {SLUG}._martlet_loads where table_name = ?", [table]
            ).fetchall()
        return str(load_id)

    def master_rows(self) -> int:
        """Return how many versions the master has."""
        with connect(self.settings.warehouse, read_only=True) as warehouse:
            ((rows,),) = warehouse.execute(
                f"select count(*) from platform.{self.stage.master}"
            ).fetchall()
        return int(rows)

    def bytes(self) -> int:
        """Return the size of the warehouse's file."""
        return file_bytes(self.settings.warehouse)


def new_history(bench: Bench, name: str, kind: Kind, rows: int) -> History:
    """Return a history in a project of its own: a copy of one that was onboarded, landed and run.

    Its first `PER_DAY` rows of each kind came there by the whole pipeline.
    """
    base = _base(bench)
    settings = copy_project(base.settings, bench.folder / name)
    stage = PushStage(settings, SLUG, kind.platform, kind.object, base.manifest)
    history = History(settings, kind, stage, PER_DAY, deliveries=1)
    history.grow(rows)
    return history


@dataclass(frozen=True)
class _Base:
    settings: Settings
    manifest: Any


def _base(bench: Bench) -> _Base:
    if "base" not in bench.shared:
        settings = new_project(bench.folder / "base", {SLUG: SOURCES})
        first = [batch(kind, 0, PER_DAY, per_day=PER_DAY, delivery=0) for kind in KINDS.values()]
        land_batches(settings, SLUG, first)
        run_tenants(settings, [SLUG])
        kind = KINDS["events"]
        stage = PushStage(settings, SLUG, kind.platform, kind.object)
        bench.shared["base"] = _Base(settings, stage.manifest)
    base: _Base = bench.shared["base"]
    return base


def fill_master(history: History, count: int, *, every: int = 0) -> None:
    """Put rows into landing and master without dlt and ledger, then the restated ones again.

    They are packed by the staging view, as the push packs them; of `every` rows one is restated.
    """
    start = history.rows
    while history.rows < start + count:
        rows = min(ROWS_A_LOAD, start + count - history.rows)
        made = batch(history.kind, history.rows, rows, per_day=PER_DAY, delivery=history.deliveries)
        _insert(history, made)
        if every:
            _insert(history, _restated(history, rows, every))
        history.rows += rows


def _restated(history: History, rows: int, every: int) -> LandedBatch:
    made = batch(
        history.kind,
        history.rows,
        rows,
        per_day=PER_DAY,
        delivery=history.deliveries,
        every=every,
        revision=1,
    )
    changed = [number for number in range(rows) if (history.rows + number) % every == 0]
    return replace(made, rows=table_of(made).take(changed))


def _insert(history: History, made: LandedBatch) -> None:
    table = naming.landed_table(SLUG, history.kind.platform, history.kind.object)
    load_id = f"{int(made.extracted_at.timestamp())}.{history.deliveries:06}"
    history.deliveries += 1
    rows = table_of(made)
    names = ", ".join(f'"{name}"' for name in rows.column_names)
    with connect(history.settings.landing) as landing:
        landing.register("made", rows)
        landing.execute(
            f'insert into {SLUG}."{table}" ({names}, _dlt_load_id, _martlet_extracted_at) '
            "select *, ?, ? from made",
            [load_id, made.extracted_at],
        )
    with connect_warehouse(history.settings) as warehouse:
        columns = [
            row[0]
            for row in warehouse.execute(f"describe platform.{history.stage.master}").fetchall()
        ]
        warehouse.execute(
            f"insert into platform.{history.stage.master} by name select {', '.join(columns)} "
            f"from staging.{history.stage.model} where load_id = ?",
            [load_id],
        )
