"""Places for running queries: who finds none is told so at once, instead of waiting in a queue."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from martlet.semantic.errors import TooBusyError


class Pool:
    """A fixed number of places, shared by all tenants and threads of a process."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ValueError(f"a pool needs at least one place, got {slots}")
        self.slots = slots
        self._free = BoundedSemaphore(slots)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one place; raises `TooBusyError` without waiting when all are taken."""
        if not self._free.acquire(blocking=False):
            raise TooBusyError(f"all {self.slots} places for queries are taken")
        try:
            yield
        finally:
            self._free.release()
