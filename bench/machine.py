"""What was measured on, and which versions."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "duckdb",
    "dbt-core",
    "dbt-duckdb",
    "dlt",
    "pyarrow",
    "boring-semantic-layer",
    "fastapi",
)


def circumstances(project_dir: Path) -> dict[str, Any]:
    """Return machine, versions and moment, as they stand beside every result."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "commit": _commit(project_dir),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def _processor() -> str:
    with Path("/proc/cpuinfo").open() as told:
        names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit(project_dir: Path) -> str:
    shown = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=project_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip() or "unknown"
