"""Who hears how a run goes."""

from typing import Protocol


class Listener(Protocol):
    """Hears of each step as it begins; the terminal draws it, `--json` stays silent."""

    def tenant(self, slug: str) -> None: ...

    def stage(self, name: str) -> None: ...

    def model(self, name: str) -> None: ...


class Silence:
    """Hears nothing."""

    def tenant(self, slug: str) -> None:
        pass

    def stage(self, name: str) -> None:
        pass

    def model(self, name: str) -> None:
        pass
