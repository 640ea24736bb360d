"""The issuer's public keys: fetched within bounds, kept for a while, and fetched no oftener."""

import http.client
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.error import URLError

import jwt

TIMEOUT_SECONDS = 3.0
MAX_BYTES = 256 * 1024
FRESH_SECONDS = 600.0  # a key that the issuer withdrew opens nothing after this long,
STALE_SECONDS = 3600.0  # or after this long while the issuer does not answer
REFETCH_SECONDS = 60.0
RETRY_SECONDS = 5.0


class KeysUnavailableError(Exception):
    """No keys of the issuer are known, and none can be fetched now."""


@dataclass(frozen=True)
class _Fetched:
    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    at: float = float("-inf")


class KeySet:
    """The keys at one address that fit one algorithm; safe for threads.

    An unknown id makes it look again, once a minute at most, so that invented ids cost the issuer
    nothing. While one thread fetches, others go on with the keys that are known.
    """

    def __init__(
        self, url: str, algorithm: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._algorithm = algorithm
        self._clock = clock
        self._fetched = _Fetched()
        self._next_try = float("-inf")
        self._lock = threading.Lock()

    def key(self, kid: str) -> jwt.PyJWK | None:
        """Return the key of this id; None when the issuer has no such key.

        Raises `KeysUnavailableError` when nothing is known that is fresh enough to say so.
        """
        fetched = self._fetched
        age = self._clock() - fetched.at
        if age < FRESH_SECONDS and kid in fetched.keys:
            return fetched.keys[kid]
        # Who needs the answer waits for it; who knows the key does not.
        needs = kid not in fetched.keys or age >= STALE_SECONDS
        if self._lock.acquire(blocking=needs):
            try:
                self._fetch_if_due()
            finally:
                self._lock.release()
        fetched = self._fetched
        if self._clock() - fetched.at >= STALE_SECONDS:
            raise KeysUnavailableError
        return fetched.keys.get(kid)

    def _fetch_if_due(self) -> None:
        now = self._clock()
        if now < self._next_try:
            return
        try:
            keys = _usable_keys(_document(self._url), self._algorithm)
        except (OSError, URLError, http.client.HTTPException, ValueError, RecursionError):
            self._next_try = self._clock() + RETRY_SECONDS
            return
        self._fetched = _Fetched(keys, self._clock())
        self._next_try = self._clock() + REFETCH_SECONDS


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing: the address that was configured is the one that is trusted."""


def _document(url: str) -> Any:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    opener = urllib.request.build_opener(_NoRedirect)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    body = b""
    with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
        while chunk := response.read1(65_536):
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError("the key set is too large")
            if time.monotonic() > deadline:
                raise TimeoutError("the key set comes too slowly")
    return json.loads(body)


def _usable_keys(document: Any, algorithm: str) -> dict[str, jwt.PyJWK]:
    """Return the signing keys of the pinned algorithm's kind by id; others are left out."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("this is no key set")
    keys: dict[str, jwt.PyJWK] = {}
    for entry in listed:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
            continue
        if entry.get("use", "sig") != "sig" or entry.get("alg", algorithm) != algorithm:
            continue
        try:
            keys[entry["kid"]] = jwt.PyJWK(entry, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            continue
    return keys
