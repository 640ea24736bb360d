"""Threads for blocking work, with no queue: when all are taken, the caller hears so at once."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from martlet.semantic.errors import TooBusyError

T = TypeVar("T")


class BoundedPool:
    """As many jobs at once as there are `places`.

    A place is free again when its thread has ended, not when the caller has gone away: what was
    started still uses the machine.
    """

    def __init__(self, places: int, name: str) -> None:
        self.places = places
        self._executor = ThreadPoolExecutor(places, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Return how many jobs run now."""
        return self._taken

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; raises `TooBusyError` when every place is taken."""
        with self._lock:
            if self._taken >= self.places:
                raise TooBusyError("all places for running queries are taken")
            self._taken += 1
        try:
            job = self._executor.submit(contextvars.copy_context().run, work)
        except RuntimeError:  # the server shuts down
            self._free(None)
            raise TooBusyError("the server is shutting down", retry_after_seconds=5) from None
        job.add_done_callback(self._free)
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Take no more jobs, and wait for those that run."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _free(self, _: Future[T] | None) -> None:
        with self._lock:
            self._taken -= 1
