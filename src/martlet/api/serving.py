"""What one application holds while it runs: made with it, closed at its end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from martlet.access.authentication import authenticate
from martlet.access.errors import ControlFileError
from martlet.access.keys import KeyStore
from martlet.access.principal import Principal
from martlet.access.rates import Rates
from martlet.access.tokens import TokenVerifier
from martlet.api.metrics import Metrics
from martlet.api.pool import BoundedPool
from martlet.api.settings import ServingSettings
from martlet.errors import MartletError
from martlet.marts.store import MartStore, StoreSettings
from martlet.marts.versions import OPERATORS
from martlet.semantic.service import Limits, SemanticService
from martlet.settings import Settings

T = TypeVar("T")

# Checking a key takes a fraction of a millisecond, fetching an issuer's keys some seconds.
_ACCESS_THREADS = 8


class Serving:
    """The service, the stores below it, who may ask, and the threads that all of it runs on."""

    def __init__(
        self, settings: Settings, limits: ServingSettings, log: FilteringBoundLogger
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.log = log
        self.keys = KeyStore(settings.control)
        self.rates = Rates(limits.rates)
        self.tokens = TokenVerifier(limits.tokens) if limits.tokens else None
        store = StoreSettings(
            threads=limits.tenant_threads,
            memory_limit=limits.tenant_memory,
            max_open=limits.open_tenants,
        )
        stored = settings.stored_marts
        self.marts = MartStore(settings.marts_dir, store, stored=stored)
        self.operations = MartStore(
            settings.operations_dir, store, other_names=(OPERATORS,), stored=stored
        )
        self.service = SemanticService(
            self.marts,
            Limits(
                max_seconds=limits.max_query_seconds,
                max_bytes=limits.max_answer_bytes,
                slots=limits.query_slots,
            ),
            pseudonym_key=self.keys.pseudonym_key(),
        )
        self.queries = BoundedPool(limits.query_slots, "martlet-query")
        self.observability = BoundedPool(limits.observability_slots, "martlet-observability")
        self._access = ThreadPoolExecutor(_ACCESS_THREADS, thread_name_prefix="martlet-access")
        self.metrics = Metrics()
        self.metrics.query_places.set(limits.query_slots)
        self.metrics.queries_running.set_function(lambda: self.queries.taken)
        self.metrics.open_tenants.set_function(lambda: self.marts.open_count)
        if settings.stored_marts:
            self.metrics.follow({"marts": self.marts, "operations": self.operations})

    async def principal(self, bearer: str) -> Principal:
        """Return who presents these credentials; raises `AccessDeniedError`."""
        return await self._in_access(lambda: authenticate(bearer, self.keys, self.tokens))

    async def shortcomings(self) -> list[str]:
        """Return what is missing to answer anything, in words that name no path."""
        return await self._in_access(self._shortcomings)

    def stale(self) -> list[str]:
        """Return why answers may be of older versions than the newest, in words without names."""
        said = []
        for what, store in (("marts", self.marts), ("snapshots of runs", self.operations)):
            following = store.following
            if following and following.unreachable_since:
                since = f"{following.unreachable_since:%Y-%m-%dT%H:%M:%SZ}"
                said.append(f"the store of {what} cannot be reached since {since}")
            elif following and following.behind:
                count = len(following.behind)
                said.append(f"the newest version could not be had of the {what} of {count} tenants")
        return said

    def warm_up(self) -> None:
        """Begin to do what the first question would wait for, with the first tenant there is."""
        self._access.submit(self._warm)

    def close(self) -> None:
        """Wait for what runs, and let go of every file."""
        for pool in (self.queries, self.observability):
            pool.close()
        self._access.shutdown(wait=True, cancel_futures=True)
        self.marts.close()
        self.operations.close()
        self.keys.close()

    async def _in_access(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._access, work)

    def _warm(self) -> None:
        with suppress(OSError):
            for name in self.marts.names():
                with suppress(MartletError):
                    self.service.warm(name)
                    return

    @property
    def _keys_are_in(self) -> str:
        return "database" if self.settings.control_database else "file"

    def _was_published(self) -> bool:
        try:
            return self.settings.marts_dir.is_dir() or bool(self.marts.names())
        except OSError:
            return False

    def _shortcomings(self) -> list[str]:
        found = []
        if not self._was_published():
            found.append("nothing was ever published")
        try:
            self.keys.list("")
        except ControlFileError:
            found.append(f"the {self._keys_are_in} of keys cannot be read")
        else:
            if not self.keys.exists():
                found.append(f"there is no {self._keys_are_in} of keys")
        return found
