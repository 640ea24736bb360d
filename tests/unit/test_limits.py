"""The memory that databases may take: one setting, whoever opens them."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.engines.dbt_plugin import Plugin
from martlet.engines.duckdb_engine import (
    connect,
    connect_warehouse,
    create_landing,
    create_warehouse,
)
from martlet.engines.limits import MEMORY, engine_settings
from martlet.errors import BadInputError
from martlet.landing.dlt_runner import open_pipeline
from martlet.settings import Settings, size_in_bytes

MEGABYTES_300 = "286.1 MiB"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(tmp_path, tmp_path / "data", tmp_path / "tenants.yaml")
    create_landing(found.landing)
    create_warehouse(found.warehouse)
    return found


@pytest.mark.parametrize("stated", ["300MB", "300mb", "300000KB", "300000000"])
def test_ours_and_dbts_connections_have_the_stated_memory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("MARTLET_MEMORY", stated)
    with connect_warehouse(settings) as warehouse:
        ours = _memory(warehouse)
    with connect(settings.landing) as landing:
        of_landing = _memory(landing)

    assert ours == of_landing == _of_dbt(settings) == MEGABYTES_300


def test_dbts_connection_shares_the_instance_that_ours_has_open(settings: Settings) -> None:
    with connect(settings.warehouse) as warehouse:
        assert _of_dbt(settings) == _memory(warehouse)


def test_a_load_of_a_landing_has_half_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARTLET_MEMORY", "600MB")
    pipeline = open_pipeline(settings, "any", "any")

    with pipeline.sql_client() as client:
        assert _memory(client.native_connection) == MEGABYTES_300


@pytest.mark.parametrize("unset", [None, "", " "])
def test_without_a_stated_memory_it_is_ours_or_that_of_a_small_machine(
    monkeypatch: pytest.MonkeyPatch, unset: str | None
) -> None:
    monkeypatch.delenv("MARTLET_MEMORY", raising=False)
    if unset is not None:
        monkeypatch.setenv("MARTLET_MEMORY", unset)

    found = size_in_bytes(engine_settings()["memory_limit"])

    assert found is not None
    assert 0 < found <= (size_in_bytes(MEMORY) or 0)


@pytest.mark.parametrize("stated", ["0", "lots", "-1GB", "2 parsecs", "'; drop"])
def test_a_memory_that_cannot_be_is_bad_input(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("MARTLET_MEMORY", stated)

    with pytest.raises(BadInputError, match="MARTLET_MEMORY"), connect(settings.warehouse):
        pass


def _of_dbt(settings: Settings) -> str:
    """Open the warehouse as dbt does: its profile's plugin configures the connection."""
    profile = Path(__file__).parents[2] / "profiles.yml"
    assert "memory_limit" not in profile.read_text()
    plugin = Plugin("martlet", {"target": settings.target})
    with duckdb.connect(str(settings.warehouse), config={}) as connection:
        plugin.configure_connection(connection)
        return _memory(connection)


def _memory(connection: Any) -> str:
    ((told,),) = connection.execute("select current_setting('memory_limit')").fetchall()
    return str(told)
