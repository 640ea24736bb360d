"""What every connection to the warehouse or the landing file is set to, whoever opens it."""

import os
from functools import lru_cache

import duckdb

from martlet.settings import size_in_bytes, stated_memory

# A run of a million new events does not reach it, and takes no more CPU with half of it.
MEMORY = "2GB"


def engine_settings() -> dict[str, str]:
    """Return what to set on a connection, by the engine's names of the settings.

    Set, not given when a file is opened: connections of one process share an instance, which
    refuses a second one that was opened with other options.
    """
    stated = stated_memory(os.environ)
    # The engine wants a unit, and knows fewer spellings of it than we read.
    return {"memory_limit": f"{size_in_bytes(stated)}B" if stated else _default_memory()}


def landing_settings() -> dict[str, str]:
    """Return what dlt's load sets on its connection: half of the memory that others have.

    A load of 800,000 events took no more CPU with 1 GB. Its process still grows beyond the limit.
    """
    settings = engine_settings()
    return settings | {"memory_limit": _halved(settings["memory_limit"])}


def apply_engine_settings(connection: duckdb.DuckDBPyConnection) -> None:
    """Set on a connection what all have; what is larger than the memory goes beside the file."""
    for name, value in engine_settings().items():
        connection.execute(f"set {name} = '{value}'")


@lru_cache(maxsize=1)
def _default_memory() -> str:
    """Return `MEMORY`, or less where the engine itself takes less on so small a machine."""
    with duckdb.connect(":memory:") as connection:
        ((told,),) = connection.execute("select current_setting('memory_limit')").fetchall()
    number, unit = str(told).split()
    own = round(float(number) * (size_in_bytes(f"1{unit}") or 1))
    return MEMORY if own > (size_in_bytes(MEMORY) or 0) else f"{own}B"


def _halved(size: str) -> str:
    return f"{max((size_in_bytes(size) or 0) // 2, 1)}B"
