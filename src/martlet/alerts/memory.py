"""What each channel was told, kept in one file, so that nothing is told twice and nothing is lost.

A finding is written down before it is sent and marked as told after: killed in between, the next
run sends it again.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from martlet.errors import MartletError
from martlet.pipeline.findings import Finding

VERSION = 1
# Their message counts up from run to run, which is no news either.
AGEING = frozenset({"stale"})

Status = Literal["waiting", "told", "over"]


@dataclass
class Entry:
    """One finding as one channel knows it.

    `seen_by` names the commands that found it when they last looked; when none is left it is gone.
    `over` means that the channel was told of it and is not yet told that it is gone.
    """

    finding: Finding
    status: Status
    seen_by: list[str]
    first_seen_at: str

    @property
    def is_gone(self) -> bool:
        return not self.seen_by

    @property
    def is_event(self) -> bool:
        return self.finding.is_event


@dataclass
class ChannelMemory:
    """What one channel was told, is to be told, and when it last worked."""

    entries: dict[str, Entry] = field(default_factory=dict)
    last_sent_at: str | None = None
    failing_since: str | None = None

    def note(self, findings: Iterable[Finding], *, source: str, looked_at: Collection[str]) -> None:
        """Take in what a command found; of the tenants in `looked_at` it found nothing else."""
        found = {finding_key(finding): finding for finding in findings}
        reworded: set[tuple[str, str, str]] = set()
        for key, finding in found.items():
            entry = self.entries.get(key)
            if entry is None or entry.status == "over":
                self.entries[key] = Entry(finding, "waiting", [source], _now())
                reworded.add(_subject(finding))
            elif source not in entry.seen_by:
                entry.seen_by.append(source)
        standing = {_subject(finding) for finding in found.values()}
        for key, entry in list(self.entries.items()):
            unseen = key not in found and entry.finding.tenant in looked_at
            if not unseen or source not in entry.seen_by:
                continue
            entry.seen_by.remove(source)
            if not entry.is_gone:
                continue
            subject = _subject(entry.finding)
            if entry.status == "waiting":
                # What is said anew in other words need not be said in the old ones.
                if subject in reworded and not entry.is_event:
                    del self.entries[key]
            elif entry.is_event or subject in standing:
                del self.entries[key]
            else:
                entry.status = "over"

    def forget_unwanted(self, takes: Callable[[Finding], bool]) -> None:
        """Drop what the channel, as it is configured now, does not take any more."""
        self.entries = {k: entry for k, entry in self.entries.items() if takes(entry.finding)}

    def is_due(self, now: datetime, *, daily: bool) -> bool:
        """Say whether something is to be told; with `daily`, only once a day (UTC)."""
        if not self.waiting() and not self.over():
            return False
        return not (daily and (self.last_sent_at or "")[:10] == f"{now:%Y-%m-%d}")

    def waiting(self) -> list[Entry]:
        """Return the findings to tell, oldest first."""
        return self._with("waiting")

    def over(self) -> list[Entry]:
        """Return the findings of which to tell that they are gone."""
        return self._with("over")

    def mark_told(self, keys: Iterable[str], *, told_as_gone: Collection[str]) -> None:
        """Record what a message that was delivered held; it may have changed since."""
        for key in keys:
            entry = self.entries.get(key)
            if entry is None:
                continue
            if entry.is_gone and (key in told_as_gone or entry.is_event):
                del self.entries[key]
            elif entry.status == "waiting" and key not in told_as_gone:
                entry.status = "over" if entry.is_gone else "told"

    def _with(self, status: Status) -> list[Entry]:
        chosen = [entry for entry in self.entries.values() if entry.status == status]
        return sorted(chosen, key=lambda entry: entry.first_seen_at)


def finding_key(finding: Finding) -> str:
    """Return what makes a finding the same one in the next run."""
    message = finding.message
    if finding.kind in AGEING:
        message = re.sub(r"\d+", "", message)
    parts = [finding.kind, finding.tenant, finding.subject, message]
    return hashlib.md5(json.dumps(parts).encode(), usedforsecurity=False).hexdigest()


def read_memory(path: Path) -> dict[str, ChannelMemory]:
    """Return what every channel knows, by its name; nothing before the first alert.

    Raises `MartletError` when the file cannot be read: guessing would tell everything anew.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {name: _channel(told) for name, told in document["channels"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MartletError(
            f"what alert channels were told cannot be read: {error}",
            where=str(path),
            remedy="restore the file, or delete it: every finding is then sent once more",
        ) from error


def write_memory(path: Path, channels: dict[str, ChannelMemory]) -> None:
    """Replace the file at once, so that a kill leaves the old or the new one."""
    document = {
        "version": VERSION,
        "channels": {name: asdict(memory) for name, memory in channels.items()},
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _channel(told: dict[str, Any]) -> ChannelMemory:
    entries = {
        key: Entry(
            finding=Finding(**entry["finding"]),
            status=entry["status"],
            seen_by=list(entry["seen_by"]),
            first_seen_at=entry["first_seen_at"],
        )
        for key, entry in told["entries"].items()
    }
    return ChannelMemory(entries, told["last_sent_at"], told["failing_since"])


def _subject(finding: Finding) -> tuple[str, str, str]:
    return finding.kind, finding.tenant, finding.subject


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
