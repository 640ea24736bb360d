"""Brings an older warehouse to the layout of this program."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from martlet.config.tenants import TenantsFile
from martlet.engines.engine import PLATFORM
from martlet.engines.layout import LAYOUT, layout_of, stated_layout
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError, MartletError
from martlet.pipeline.dbt_run import run_dbt
from martlet.settings import Settings


@dataclass(frozen=True)
class Migration:
    """What a warehouse was, what it is now, and which masters were given columns."""

    before: int
    after: int
    masters: tuple[str, ...]


def migrate(settings: Settings, tenants: TenantsFile, *, wait_seconds: float) -> Migration:
    """Do to an older warehouse at once what runs do tenant by tenant; then let it say so.

    Raises `BadInputError` where there is no warehouse, one of a newer program, or one that no
    known layout explains.
    """
    engine = engine_of(settings)
    with engine.open_warehouse(wait_seconds=wait_seconds) as warehouse:
        stated, older = layout_of(warehouse), _masters_without_prefix(warehouse)
    before = 1 if older else stated or LAYOUT
    if older:
        active = tenants.active()
        if not active:
            raise BadInputError(
                f"{len(older)} masters lack the column key_prefix, and no tenant is active, "
                "whose models could give it to them",
                where=str(tenants.path),
                remedy="enable a tenant, then: martlet migrate",
            )
        with engine.lease(PLATFORM, wait_seconds=wait_seconds):
            run_dbt(settings, active[0].slug, select=older)
    with engine.open_warehouse(wait_seconds=wait_seconds) as warehouse:
        left = _masters_without_prefix(warehouse)
        if left:
            raise MartletError(
                f"these masters still lack key_prefix: {', '.join(left)}",
                where="martlet migrate",
                remedy="nothing is lost; report this with the output of `martlet run --full`",
            )
        for statement in stated_layout():
            warehouse.execute(statement)
    return Migration(before, LAYOUT, older)


def _masters_without_prefix(warehouse: DuckDBPyConnection) -> tuple[str, ...]:
    rows = warehouse.execute(
        "select table_name from duckdb_columns() where database_name = current_database() "
        "and schema_name = 'platform' and starts_with(table_name, 'platform_mm__') "
        "group by 1 having not bool_or(column_name = 'key_prefix') order by 1"
    ).fetchall()
    return tuple(name for (name,) in rows)
