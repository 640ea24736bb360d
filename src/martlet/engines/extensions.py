"""DuckDB's extensions, from wheels of the very version: nothing is fetched when it is needed."""

from importlib import import_module
from pathlib import Path

import duckdb

from martlet.engines.duckdb_engine import quoted_text
from martlet.errors import BadInputError


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension; raises `BadInputError` without its wheel of this very version."""
    connection.execute(f"load {quoted_text(str(_extension_file(name)))}")


def _extension_file(name: str) -> Path:
    try:
        package = import_module(f"duckdb_extension_{name}")
    except ImportError as error:
        raise _missing(name, "its wheel is not installed") from error
    folder = Path(package.__file__ or "").parent / "extensions" / f"v{duckdb.__version__}"
    file = folder / f"{name}.duckdb_extension"
    if not file.is_file():
        raise _missing(name, f"the installed wheel is not of DuckDB {duckdb.__version__}")
    return file


def _missing(name: str, why: str) -> BadInputError:
    wheel = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
    return BadInputError(
        f"DuckDB's extension {name} cannot be loaded: {why}",
        remedy=f"pip install 'martlet[lake]', which holds {wheel}",
    )
