"""Remembers how the newest audit of each tenant ended, for `martlet status` and publication."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from martlet.settings import Settings

LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class AuditRecord:
    """How one audit ended. `by` is the command: `run` proves less than `audit`."""

    at: str
    by: str
    broken_promises: int


def record_audits(settings: Settings, broken: Mapping[str, int], *, by: str) -> list[str]:
    """Keep the number of broken promises by tenant; return a warning where that is impossible.

    A run looks at its own loads only: what was found broken before stays so until `audit` says
    that it is not.
    """
    path = _file(settings)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            records = newest_audits(settings)
            for slug, count in broken.items():
                before = records.get(slug)
                if by == "audit" or count or before is None or not before.broken_promises:
                    records[slug] = AuditRecord(at, by, count)
            _write(path, records)
    except (OSError, Timeout) as error:
        return [f"the result of the audit could not be kept for `martlet status`: {error}"]
    return []


def forget_audit(settings: Settings, slug: str) -> None:
    """Forget how a tenant's audits ended."""
    path = _file(settings)
    if not path.exists():
        return
    with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
        records = {name: r for name, r in newest_audits(settings).items() if name != slug}
        _write(path, records)


def newest_audits(settings: Settings) -> dict[str, AuditRecord]:
    """Return the newest audit of each tenant; what cannot be read counts as no audit."""
    try:
        document = json.loads(_file(settings).read_text(encoding="utf-8"))
        return {tenant: AuditRecord(**record) for tenant, record in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(path: Path, records: Mapping[str, AuditRecord]) -> None:
    document = {slug: asdict(record) for slug, record in records.items()}
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.write_text(json.dumps(document, indent=1), encoding="utf-8")
    draft.replace(path)


def _file(settings: Settings) -> Path:
    return settings.home / "audits.json"
