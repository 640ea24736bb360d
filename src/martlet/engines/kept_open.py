"""Keeps one instance of the warehouse open while a run opens it again and again."""

import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from martlet.engines.engine import Engine
from martlet.engines.sql_functions import register_functions

# Longer than a process that waits for a file sleeps between two attempts.
_PAUSE_SECONDS = 0.6


class KeptOpen:
    """Holds the warehouse, and what is attached to it, open from one use to the next.

    Reading its catalogue costs as much as all tenants have tables. Whatever opens the file in this
    process meanwhile, dbt too, becomes another connection of the same instance. Where it is not
    held, each opens the file for itself. As a context: let go of at the end.
    """

    def __init__(self, engine: Engine, wait_seconds: float) -> None:
        self._engine = engine
        self._wait_seconds = wait_seconds
        self._open = ExitStack()
        self._is_open = False
        self._is_used = False

    def open(self) -> None:
        """Hold the warehouse, unless it is held; raises what opening it raises."""
        if self._is_open:
            return
        warehouse = self._open.enter_context(
            self._engine.keep_open(wait_seconds=self._wait_seconds)
        )
        if warehouse is not None:
            self._is_open = True
            register_functions(warehouse)

    def begin_tenant(self) -> None:
        """Hold it for a tenant; before the next one, let those in who wait for the files."""
        if self._is_used and self._is_open:
            self.close()
            time.sleep(_PAUSE_SECONDS)
        self.open()
        self._is_used = True

    def close(self) -> None:
        """Let go of the files, which writes what is not in them yet."""
        self._is_open = False
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
