"""Gets the first pages ready while somebody types a key."""

import asyncio
from contextlib import suppress
from functools import partial

from martlet.api.serving import Serving
from martlet.errors import MartletError
from martlet.web.overview import warm

# Further tenants wait a moment for their first page, as all do after a restart under load.
MOST_TENANTS = 8


class Warmer:
    """Asks once what the overviews of the published tenants will ask."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin, unless it was begun before; nobody waits for it."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._warm())

    async def _warm(self) -> None:
        names = await asyncio.to_thread(self._serving.marts.names)
        for name in names[:MOST_TENANTS]:
            with suppress(MartletError):  # a page says what is wrong, to who opens it
                await self._serving.queries.run(partial(warm, self._serving, name))
