"""The part that knows dlt: its settings, its packages, and what a kill leaves of them."""

import os
import re
import shutil
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from martlet.engines.limits import landing_settings
from martlet.errors import MartletError
from martlet.landing.batches import SpilledRows
from martlet.settings import Settings

# table name to its rows and those of its text columns that hold JSON
DltPackage = dict[str, tuple[pa.Table | SpilledRows, list[str]]]

_RAISED = re.compile(r"^[\w.]+(?:Error|Exception): (.+)$", re.MULTILINE)
_ENVIRONMENT = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
    "SCHEMA__NAMING": "direct",  # the default renames campaignId and $insert_id
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",  # Arrow rows get none otherwise
    "LOAD__DELETE_COMPLETED_JOBS": "true",  # else its folder keeps a second copy of all data
}


def open_pipeline(settings: Settings, name: str, dataset: str) -> Any:
    """Return dlt's pipeline of that name, writing to one schema of the landing file."""
    os.environ.update(_ENVIRONMENT)
    import dlt  # a second of import, only for landings
    from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

    credentials = DuckDbCredentials(str(settings.landing))
    credentials.global_config = landing_settings()
    return dlt.pipeline(
        name,
        destination=dlt.destinations.duckdb(credentials=credentials),
        dataset_name=dataset,
        pipelines_dir=str(settings.dlt_dir),
    )


def recover(pipeline: Any) -> list[str]:
    """Complete what an interrupted landing left; return the load ids.

    It must come before `run`, which loads what is pending and silently ignores its own data, or
    drops what is pending where the schema does not exist yet.
    """
    from dlt.pipeline.exceptions import PipelineStepFailed

    _finish_commits(pipeline)
    if not pipeline.has_pending_data:
        return []
    try:
        pipeline.normalize()
        info = pipeline.load()
    except PipelineStepFailed as error:
        raise _failed(pipeline, "an interrupted landing cannot be completed", error) from error
    return list(info.loads_ids) if info else []


def _finish_commits(pipeline: Any) -> None:
    """Delete what dlt has extracted of packages that it has normalized already.

    It renames a package and deletes its source after that. After a kill between the two, it would
    normalize the package again, and find the name taken: at this and every later attempt.
    """
    extracted = Path(pipeline.working_dir) / "normalize" / "extracted"
    normalized = set(pipeline.list_normalized_load_packages())
    for load_id in normalized.intersection(pipeline.list_extracted_load_packages()):
        shutil.rmtree(extracted / load_id)


def landed_load_id(pipeline: Any, package: DltPackage) -> str:
    """Append the tables as one load and return its id.

    All of a tenant's pipelines write to one schema, in which dlt keeps the pipelines' schemas by
    name: theirs carry a digest, as dlt's own naming would make one of `a_b`, `c` and `a`, `b_c`.
    """
    import dlt
    from dlt.pipeline.exceptions import PipelineStepFailed

    resources = [
        dlt.resource(
            _items(rows), name=table, write_disposition="append", columns=_hints(rows, json)
        )
        for table, (rows, json) in package.items()
    ]
    try:
        info = pipeline.run(resources, schema=dlt.Schema(_schema_name(pipeline.pipeline_name)))
    except PipelineStepFailed as error:
        raise _failed(pipeline, "dlt could not land the data", error) from error
    if len(info.loads_ids) != 1:
        raise MartletError(f"dlt made {len(info.loads_ids)} loads of one package")
    return str(info.loads_ids[0])


def _schema_name(pipeline_name: str) -> str:
    return f"landed_{blake2b(pipeline_name.encode(), digest_size=8).hexdigest()}"


def _items(rows: pa.Table | SpilledRows) -> Any:
    return rows.tables() if isinstance(rows, SpilledRows) else rows


def _hints(rows: pa.Table | SpilledRows, json_columns: list[str]) -> dict[str, dict[str, Any]]:
    hints: dict[str, dict[str, Any]] = {name: {"data_type": "json"} for name in json_columns}
    for field in rows.schema:
        if pa.types.is_timestamp(field.type):
            hints[field.name] = {"data_type": "timestamp", "timezone": False}
    return hints


def _reason(error: Exception) -> str:
    """Return what went wrong, without the stack that dlt tells of a failed job."""
    text = str(error).partition("\n\nPending packages")[0]
    raised = _RAISED.findall(text) if "Traceback (most recent" in text else []
    return str(raised[-1]) if raised else text


def _failed(pipeline: Any, what: str, error: Exception) -> MartletError:
    folder = f"{pipeline.pipelines_dir}/{pipeline.pipeline_name}"
    return MartletError(
        f"{what}: {_reason(error)}",
        where=folder,
        remedy="land again: what is pending is completed first. If it can never be completed, "
        "remove that folder and land the data again",
    )
