"""Interrupts queries whose time is over, all from one thread."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import duckdb

# An interrupt that comes before its query has begun is lost, so it is given again.
_AGAIN_SECONDS = 0.05
_LONGEST_WAIT_SECONDS = 3_600.0


class Watch:
    """One query under watch; `is_overdue` once it has been interrupted."""

    __slots__ = ("_interrupt", "is_overdue")

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt: Callable[[], None] | None = interrupt
        self.is_overdue = False

    @property
    def has_ended(self) -> bool:
        return self._interrupt is None

    def end(self) -> None:
        """Forget the query, and the cursor with it."""
        self._interrupt = None

    def interrupt(self) -> None:
        """Interrupt the query if it has not ended."""
        if self._interrupt is not None:
            self.is_overdue = True
            with suppress(duckdb.Error):  # its cursor was closed under it
                self._interrupt()


class Watchdog:
    """A heap of deadlines and the thread that waits for the next one.

    A query ends and is interrupted under one lock, so none is interrupted after its end: the cursor
    may be running the next one by then.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._deadlines: list[tuple[float, int, Watch]] = []
        self._numbers = itertools.count()
        self._running = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, interrupt: Callable[[], None], seconds: float) -> Iterator[Watch]:
        """Call `interrupt` if the block is still running after `seconds`, until it ends."""
        watch = Watch(interrupt)
        self._begin(watch, seconds)
        try:
            yield watch
        finally:
            self._end(watch)

    def _begin(self, watch: Watch, seconds: float) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="martlet-watchdog", daemon=True
                )
                self._thread.start()
            self._running += 1
            self._push(time.monotonic() + seconds, watch)
            if self._deadlines[0][2] is watch:
                self._changed.notify()

    def _end(self, watch: Watch) -> None:
        with self._changed:
            watch.end()
            self._running -= 1
            if len(self._deadlines) > 64 + 2 * self._running:
                self._deadlines = [entry for entry in self._deadlines if not entry[2].has_ended]
                heapq.heapify(self._deadlines)

    def _push(self, deadline: float, watch: Watch) -> None:
        heapq.heappush(self._deadlines, (deadline, next(self._numbers), watch))

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                while self._deadlines and self._deadlines[0][0] <= now:
                    watch = heapq.heappop(self._deadlines)[2]
                    watch.interrupt()
                    if not watch.has_ended:
                        self._push(now + _AGAIN_SECONDS, watch)
                wait = self._deadlines[0][0] - now if self._deadlines else _LONGEST_WAIT_SECONDS
                self._changed.wait(min(wait, _LONGEST_WAIT_SECONDS))


# One for the process; its thread starts with the first query.
WATCHDOG = Watchdog()
