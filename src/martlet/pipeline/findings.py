"""What a run finds that a person should know, in a form that alerts and pages can use."""

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal[
    "drift",  # a landed shape differs from what was known, but could be routed
    "quarantine",  # a table, or rows of it, may not be pushed
    "not_landed",  # a source is enabled and no loader has landed it
    "undeclared",  # a landed table belongs to no enabled source
    "scaffold",  # a generated file was edited by hand
    "configuration",  # a tenant's configuration cannot be used
    "failure",  # a model or a tenant's run failed
    "audit",  # a promise is broken: rows or money are not where they must be
    "stale",  # a source has not been landed for too long
    "anomaly",  # a volume is far from what it usually is
    "hold",  # what is published stays the last good one, of a platform or of all
]


@dataclass(frozen=True)
class Finding:
    """One thing that a run found. `subject` is what it is about: a table, a model, a load.

    `is_event`: it happened once, so the next run's not finding it does not mean that it is cured.
    """

    kind: FindingKind
    tenant: str
    subject: str
    message: str
    remedy: str | None = None
    is_event: bool = False

    def __str__(self) -> str:
        told = f"{self.tenant}: {self.message}"
        return f"{told}\n  remedy: {self.remedy}" if self.remedy else told
