"""Writes all that is a tenant's into Parquet files, with a manifest of what they are."""

from collections.abc import Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from martlet.custody.manifest import CopiedFile, described, new_manifest, write_manifest
from martlet.engines.duckdb_engine import quoted_text
from martlet.errors import BadInputError


def export_relations(
    connection: DuckDBPyConnection, folder: Path, queries: Mapping[str, str]
) -> dict[str, int]:
    """Write each query's rows to `NAME.parquet`; return the number of rows by name.

    The manifest comes last: without it the export is none.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInputError(
            "this is no empty folder",
            where=str(folder),
            remedy="name a folder that is not there",
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files: dict[str, CopiedFile] = {}
    rows: dict[str, int] = {}
    for name, query in queries.items():
        path = folder / f"{name}.parquet"
        ((count,),) = connection.execute(
            f"copy ({query}) to {quoted_text(str(path))} (format parquet, compression zstd)"
        ).fetchall()
        files[path.name], rows[name] = described(path), int(count)
    write_manifest(folder, new_manifest(files))
    return rows
