"""Many tenants that fetch the same days again: ours, a dbt model with a cursor, and dlt's merge.

All of them read the same rows: ours and dbt's model from the landing file, dlt from memory.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from harness import Bench
from measuring import Reading, file_bytes, read
from projects import land_batches, new_project, run_tenants
from pushing import PushStage
from rows import KINDS, batch, table_of

from martlet import naming
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.duckdb_engine import connect
from martlet.landing.batches import ROW_NUMBER
from martlet.scaffold.scaffold import scaffold_tenant
from martlet.settings import Settings

KIND = KINDS["insights"]
SOURCE: dict[str, Any] = {
    "facebook_ads": {
        "objects": [KIND.object],
        "connections": {"main": {"accounts": ["1029384756"]}},
    }
}
KEY = ("account_id", "ad_id", "date_start")
# So many rows of a hundred come changed when they are fetched again.
CHANGED_PERCENT = 5


@dataclass
class Fleet:
    """Tenants in one project whose landed rows are alike; the first one's come by the product.

    `tables` are their landed tables, `deliveries` counts how often they have landed.
    """

    settings: Settings
    slugs: list[str]
    ads: int
    stage: PushStage
    deliveries: int = 0
    landing: list[Reading] = field(default_factory=list)
    newest: pa.Table = None

    @property
    def tables(self) -> dict[str, str]:
        """Return the landed table of each tenant, as the landing file names it."""
        return {slug: f'{slug}."{_landed(slug)}"' for slug in self.slugs}

    @property
    def models(self) -> list[str]:
        """Return the staging models, whose hooks push."""
        return [naming.staging_model(slug, KIND.platform, KIND.object) for slug in self.slugs]

    def land(self, first_day: int, days: int) -> None:
        """Land these days for every tenant; of those that landed before, some have changed."""
        made = batch(
            KIND,
            first_day * self.ads,
            days * self.ads,
            per_day=self.ads,
            delivery=self.deliveries,
            every=100 // CHANGED_PERCENT,
            revision=self.deliveries,
        )
        self.landing.append(read(lambda: land_batches(self.settings, self.slugs[0], [made])))
        self.newest = table_of(made).drop([ROW_NUMBER])
        self.deliveries += 1
        self._copy_newest_load()

    def push(self) -> Reading:
        """Push what is new of all tenants: one call of dbt, its parse left out."""
        return self.stage.run(self.models)

    def master_rows(self) -> int:
        """Return how many versions the master has."""
        return int(self._value(f"select count(*) from platform.{self.stage.master}"))

    def spend(self) -> float:
        """Return the sum of the newest versions' spend, over all tenants."""
        return float(
            self._value(
                f"""
                select sum(cast(raw_data_payload ->> 'spend' as decimal(18, 2)))
                from (
                    from platform.{self.stage.master}
                    qualify row_number() over (
                        partition by tenant_skey
                        order by extracted_at desc, load_id desc, load_row desc
                    ) = 1
                )
                where not is_deleted
                """
            )
        )

    def bytes(self) -> int:
        """Return the size of the warehouse, whatever was written to it being in its file."""
        return checkpointed_bytes(self.settings.warehouse)

    def _copy_newest_load(self) -> None:
        first, *others = self.slugs
        with connect(self.settings.landing) as landing:
            tables = [
                row[0]
                for row in landing.execute(
                    "select table_name from duckdb_tables() where schema_name = ?", [first]
                ).fetchall()
            ]
            for slug in others:
                landing.execute(f"create schema if not exists {slug}")
                for table in tables:
                    own = table.replace(_landed(first), _landed(slug))
                    row = "select * replace (replace(table_name, $1, $2) as table_name)"
                    chosen = row if table == "_martlet_loads" else "select *"
                    named = [_landed(first), _landed(slug)] if table == "_martlet_loads" else []
                    landing.execute(
                        f'create or replace table {slug}."{own}" as {chosen} '
                        f'from {first}."{table}"',
                        named,
                    )

    def _value(self, query: str) -> Any:
        with connect(self.settings.warehouse, read_only=True) as warehouse:
            ((value,),) = warehouse.execute(query).fetchall()
        return value


def new_fleet(bench: Bench, tenants: int, ads: int, days: int) -> Fleet:
    """Return tenants with so many days landed and pushed."""
    slugs = [f"tenant_{number:03}" for number in range(tenants)]
    settings = new_project(bench.folder / "fleet", dict.fromkeys(slugs, SOURCE))
    # The platform's own models have to be there; the first tenant's first day makes them.
    land_batches(settings, slugs[0], [batch(KIND, 0, ads, per_day=ads, delivery=0)])
    run_tenants(settings, slugs[:1])
    catalogue = load_catalogue(settings.catalogue_file)
    declared = load_tenants(settings.tenants_file, catalogue)
    for slug in slugs:
        scaffold_tenant(settings, declared.tenant(slug), declared, catalogue)
    stage = PushStage(settings, "", KIND.platform, KIND.object)
    fleet = Fleet(settings, slugs, ads, stage, deliveries=1)
    fleet.land(0, days)
    fleet.push()
    return fleet


@dataclass
class CursorModel:
    """Incremental dbt models with a cursor, in a project and a warehouse of their own.

    `is_append` keeps every version that is fetched; else a record's newest replaces the one before.
    `is_one` is one model over the union of all tenants, else each tenant has its own.
    """

    folder: Path
    fleet: Fleet
    is_one: bool
    is_append: bool = False
    manifest: Any = None

    def __post_init__(self) -> None:
        models = self.folder / "models"
        models.mkdir(parents=True)
        project = {
            "name": "cursor",
            "version": "1.0",
            "profile": "cursor",
            "flags": {"send_anonymous_usage_stats": False},
        }
        attached = {
            "path": str(self.fleet.settings.landing),
            "alias": "landing",
            "read_only": True,
        }
        output = {"type": "duckdb", "path": str(self.file), "threads": 1, "attach": [attached]}
        profile = {"cursor": {"target": "it", "outputs": {"it": output}}}
        (self.folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
        (self.folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        tables = self.fleet.tables
        if self.is_one:
            (models / "insights.sql").write_text(self._model(tables))
        else:
            for slug, table in tables.items():
                (models / f"insights_{slug}.sql").write_text(self._model({slug: table}))
        self.manifest = self._dbt("parse", None)

    @property
    def file(self) -> Path:
        """Return the warehouse of these models."""
        return self.folder / "cursor.duckdb"

    def run(self) -> None:
        """Run all models; the parse is done and kept."""
        self._dbt("run", self.manifest)

    def rows(self) -> int:
        """Return how many rows the models' tables have."""
        return int(self._value("count(*)"))

    def spend(self) -> float:
        """Return the sum of spend, over all tenants."""
        return float(self._value("sum(cast(spend as decimal(18, 2)))"))

    def bytes(self) -> int:
        """Return the size of the file."""
        return checkpointed_bytes(self.file)

    def _model(self, tables: dict[str, str]) -> str:
        config = "materialized='incremental'"
        if self.is_append:
            config += ", incremental_strategy='append'"
        else:
            key = ", ".join(f"'{name}'" for name in ("tenant_slug", *KEY))
            config += f", unique_key=[{key}]"
        landed = "\n    union all by name\n".join(
            f"    select '{slug}' as tenant_slug, *, _martlet_extracted_at as updated_at "
            f"from landing.{table}"
            for slug, table in tables.items()
        )
        return f"""{{{{ config({config}) }}}}
select *
from (
{landed}
) as landed
{{% if is_incremental() %}}
where updated_at > (select max(updated_at) from {{{{ this }}}})
{{% endif %}}
qualify row_number() over (
    partition by tenant_slug, {", ".join(KEY)} order by updated_at desc
) = 1
"""

    def _dbt(self, command: str, manifest: Any) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        os.environ["DO_NOT_TRACK"] = "1"
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-write-json"]
        places = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        target = ["--target-path", str(self.folder / "target")]
        try:
            done = dbtRunner(manifest=manifest).invoke([*quiet, command, *places, *target])
        finally:
            DuckDBConnectionManager.close_all_connections()
        if not done.success:
            results = getattr(done.result, "results", ())
            raise SystemExit(f"{done.exception or [r.message for r in results if r.message]}")
        return done.result

    def _value(self, aggregate: str) -> Any:
        with connect(self.file, read_only=True) as warehouse:
            names = [
                row[0]
                for row in warehouse.execute(
                    "select table_name from duckdb_tables() where table_name like 'insights%'"
                ).fetchall()
            ]
            everything = " union all ".join(f"select spend from main.{name}" for name in names)
            ((value,),) = warehouse.execute(f"select {aggregate} from ({everything})").fetchall()
        return value


@dataclass
class DltMerge:
    """dlt's write disposition `merge`: a pipeline and a dataset for each tenant, one file."""

    folder: Path
    slugs: list[str]

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)

    @property
    def file(self) -> Path:
        """Return the file that dlt loads into."""
        return self.folder / "merged.duckdb"

    def load(self, rows: pa.Table) -> None:
        """Merge the rows into each tenant's table."""
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
        import dlt

        for slug in self.slugs:
            pipeline = dlt.pipeline(
                f"merge_{slug}",
                destination=dlt.destinations.duckdb(credentials=str(self.file)),
                dataset_name=slug,
                pipelines_dir=str(self.folder / "pipelines"),
            )
            resource = dlt.resource(
                rows, name="insights", write_disposition="merge", primary_key=list(KEY)
            )
            pipeline.run(resource)

    def rows(self) -> int:
        """Return how many rows the tables have."""
        return int(self._value("count(*)"))

    def spend(self) -> float:
        """Return the sum of spend of a tenant, which all have."""
        return float(self._value("sum(cast(spend as decimal(18, 2)))")) / len(self.slugs)

    def bytes(self) -> int:
        """Return the size of the file."""
        return checkpointed_bytes(self.file)

    def _value(self, aggregate: str) -> Any:
        everything = " union all ".join(f"select spend from {slug}.insights" for slug in self.slugs)
        with connect(self.file, read_only=True) as merged:
            ((value,),) = merged.execute(f"select {aggregate} from ({everything})").fetchall()
        return value


def checkpointed_bytes(path: Path) -> int:
    """Return the size of a database once its log is in its file."""
    with connect(path) as database:
        database.execute("checkpoint")
    return file_bytes(path)


def _landed(slug: str) -> str:
    return naming.landed_table(slug, KIND.platform, KIND.object)
