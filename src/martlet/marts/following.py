"""How it goes with the store that a folder of versions follows."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Following:
    """What following has come to; `behind` are tenants whose newest version could not be had."""

    unreachable_since: datetime | None = None
    behind: set[str] = field(default_factory=set)
    failures: int = 0
    fetched: int = 0
    fetched_bytes: int = 0
    kept_bytes: int = 0
