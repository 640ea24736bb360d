"""How often one may ask, counted in this process: per caller, per tenant, per failing address."""

import ipaddress
import math
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from martlet.access.principal import Principal
from martlet.errors import BadInputError

PER_KEY = "MARTLET_RATE_PER_KEY"
PER_TENANT = "MARTLET_RATE_PER_TENANT"
_RATE = re.compile(r"[1-9][0-9]{0,8} ?/ ?(second|minute|hour|day)")


@dataclass(frozen=True)
class RateSettings:
    """Limits as text, such as `600/minute`."""

    per_key: str = "600/minute"
    per_tenant: str = "3000/minute"
    failures_per_address: str = "30/minute"


def rate_settings(environ: Mapping[str, str]) -> RateSettings:
    """Return what the variables ask for; an empty one counts as unset. `Rates` checks them."""
    return RateSettings(
        per_key=environ.get(PER_KEY, "").strip() or RateSettings.per_key,
        per_tenant=environ.get(PER_TENANT, "").strip() or RateSettings.per_tenant,
    )


class Rates:
    """Sliding windows in memory; safe for threads. What was refused does not count.

    Raises `BadInputError` for a limit that is none, such as `600/fortnight` or `0/minute`.
    """

    def __init__(self, settings: RateSettings | None = None) -> None:
        settings = settings or RateSettings()
        self._per_key = _limit(settings.per_key, f"environment {PER_KEY}")
        self._per_tenant = _limit(settings.per_tenant, f"environment {PER_TENANT}")
        self._failures = _limit(settings.failures_per_address, "failures_per_address")
        # Counters, not lists of moments: what an attacker makes us remember stays small and ends.
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._lock = threading.Lock()  # two limits are looked at before either is used

    def admit(self, principal: Principal) -> int | None:
        """Count one request; None when it may go on, else after how many seconds to ask again.

        The tenant is the caller's own, also of an operator who asks for another one.
        """
        wanted = (
            (self._per_key, "key", principal.caller),
            (self._per_tenant, "tenant", principal.tenant),
        )
        with self._lock:
            for limit, *name in wanted:
                if not self._limiter.test(limit, *name):
                    return self._seconds_left(limit, *name)
            for limit, *name in wanted:
                self._limiter.hit(limit, *name)
        return None

    def failed(self, address: str) -> int | None:
        """Count a failed authentication; seconds to wait when this address had too many.

        Call it only after credentials have failed: then strangers behind one address, as behind a
        proxy, cannot lock out who has a key.
        """
        with self._lock:
            name = _network(address)
            if self._limiter.hit(self._failures, "failed", name):
                return None
            return self._seconds_left(self._failures, "failed", name)

    def _seconds_left(self, limit: RateLimitItem, *name: str) -> int:
        reset = self._limiter.get_window_stats(limit, *name).reset_time
        return min(max(1, math.ceil(reset - time.time())), limit.get_expiry())


def _network(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or the /64 that an IPv6 client owns."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _limit(text: str, where: str) -> RateLimitItem:
    normal = text.strip().lower()
    if not _RATE.fullmatch(normal):
        raise BadInputError(
            f"{text!r} is no rate",
            where=where,
            remedy="write how many in which span: 600/minute; spans: second, minute, hour, day",
        )
    return parse(normal)
