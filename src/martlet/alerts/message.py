"""The one plain text that a channel gets from a run, grouped by tenant."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from martlet.alerts.memory import Entry, finding_key
from martlet.pipeline.findings import Finding

# Chat services refuse or fold what is longer; a service with less says so itself.
MAX_LENGTH = 20_000
MAX_MESSAGE_LINES = 12
MAX_LINE_LENGTH = 600
_URGENT = frozenset({"audit", "failure"})


@dataclass(frozen=True)
class Message:
    """A message and the findings in it; `told_as_gone` are those that it calls gone."""

    title: str
    body: str
    keys: frozenset[str]
    told_as_gone: frozenset[str]
    is_urgent: bool


def compose(waiting: Sequence[Entry], over: Sequence[Entry], *, max_length: int) -> Message:
    """Return the message for what waits, of which there must be something; urgent things first.

    What does not fit into `max_length` characters is counted in the last line and goes with the
    next run's message; at least one finding always goes, cut short if it must be.
    """
    entries = [*sorted(waiting, key=lambda entry: not _is_urgent(entry)), *over]
    limit = min(max_length, MAX_LENGTH) if max_length > 0 else MAX_LENGTH
    chosen = _fitting(entries, limit)
    left = len(entries) - len(chosen)
    told_as_gone = {finding_key(entry.finding) for entry in chosen if entry.is_gone}
    return Message(
        title=_title(chosen),
        body=_body(chosen, left)[:limit],
        keys=frozenset(finding_key(entry.finding) for entry in chosen),
        told_as_gone=frozenset(told_as_gone),
        is_urgent=any(_is_urgent(entry) for entry in chosen if not entry.is_gone),
    )


def _fitting(entries: list[Entry], limit: int) -> list[Entry]:
    """Return as many of the first entries as fit; the length only grows, so halving finds them."""
    low, high = 1, len(entries)
    while low < high:
        middle = (low + high + 1) // 2
        if len(_body(entries[:middle], len(entries) - middle)) <= limit:
            low = middle
        else:
            high = middle - 1
    return entries[:low]


def _title(entries: Sequence[Entry]) -> str:
    found = sum(entry.status == "waiting" for entry in entries)
    gone = sum(entry.status == "over" for entry in entries)
    parts = [_counted(found, "finding")] if found else []
    parts += [f"{gone} resolved"] if gone else []
    tenants = sorted({entry.finding.tenant for entry in entries})
    whose = f"for {tenants[0]}" if len(tenants) == 1 else f"for {len(tenants)} tenants"
    return f"Martlet: {', '.join(parts)} {whose}"


def _body(entries: Sequence[Entry], left: int) -> str:
    by_tenant: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_tenant[entry.finding.tenant].append(entry)
    blocks = []
    for tenant in sorted(by_tenant):
        lines = [tenant]
        told = [entry for entry in by_tenant[tenant] if entry.status == "waiting"]
        for entry in told:
            lines += _found(entry)
        resolved = [entry.finding for entry in by_tenant[tenant] if entry.status == "over"]
        lines += [f"  resolved: {kind}: {subject}" for kind, subject in _unique(resolved)]
        blocks.append("\n".join(lines))
    if left:
        blocks.append(f"{_counted(left, 'more finding')} with the next run")
    return "\n\n".join(blocks)


def _found(entry: Entry) -> list[str]:
    finding = entry.finding
    since = " (gone since)" if entry.is_gone and not entry.is_event else ""
    message = _clean(finding.message).split("\n")
    lines = [f"  {finding.kind}: {_clean(finding.subject)}{since}"]
    lines += [f"    {_cut(line.rstrip())}" for line in message[:MAX_MESSAGE_LINES]]
    if len(message) > MAX_MESSAGE_LINES:
        lines.append(f"    and {len(message) - MAX_MESSAGE_LINES} more lines")
    if finding.remedy:
        lines.append(f"    remedy: {_clean(finding.remedy)}")
    return lines


def _is_urgent(entry: Entry) -> bool:
    return entry.finding.kind in _URGENT


def _unique(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Return kind and subject once each: a subject may have been told of in several wordings."""
    return list(dict.fromkeys((f.kind, _clean(f.subject)) for f in findings))


def _clean(text: str) -> str:
    """Return a text without control characters, which a landed name may hold."""
    return "".join(c for c in text if c.isprintable() or c == "\n")


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE_LENGTH else f"{line[: MAX_LINE_LENGTH - 3]}..."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
