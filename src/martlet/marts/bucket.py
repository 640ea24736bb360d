"""Objects below one prefix of an S3-compatible store, and what can go wrong on the way to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from martlet.errors import BadInputError
from martlet.marts.errors import PublishedMeanwhileError, StoreUnreachableError
from martlet.settings import StoredMarts

try:
    import obstore
    from obstore.exceptions import (
        AlreadyExistsError,
        BaseError,
        NotModifiedError,
        PreconditionError,
    )
    from obstore.store import S3Store
except ImportError as error:
    raise BadInputError(
        "marts in an object store need its client, which is not installed",
        where="MARTLET_MARTS",
        remedy="pip install 'martlet[lake]'",
    ) from error

if TYPE_CHECKING:
    from obstore.store import S3Config

_CHUNK_BYTES = 1 << 20
_REMEDY = "check MARTLET_MARTS, MARTLET_S3_ENDPOINT and the AWS variables, and that the store runs"


class Bucket:
    """A client of one prefix; safe for threads. Keys are relative to the prefix.

    Every failure is a `StoreUnreachableError`, but for objects that are not there.
    """

    def __init__(self, place: StoredMarts, *, patient: bool = True) -> None:
        """A client that is not `patient` gives up after seconds: somebody waits for an answer."""
        self.where = f"s3://{place.bucket}/{place.prefix}".rstrip("/")
        self._bodies = _client(place, timedelta(minutes=30), retries=4 if patient else 1)
        self._notes = (
            _client(place, timedelta(seconds=30), retries=4)
            if patient
            else _client(place, timedelta(seconds=3), retries=0)
        )

    def read(self, key: str, *, unless: str | None = None) -> tuple[bytes, str] | None:
        """Return a small object and its tag; None where its tag is still `unless`.

        Raises `FileNotFoundError` where there is none.
        """
        with self._told():
            try:
                found = obstore.get(
                    self._notes, key, options={"if_none_match": unless} if unless else None
                )
                return bytes(found.bytes()), found.meta["e_tag"] or ""
            except NotModifiedError:
                return None

    def write(self, key: str, body: bytes, *, replaces: str | None) -> str:
        """Write a small object in place of the one with that tag, or of none; return its new tag.

        Raises `PublishedMeanwhileError` where something else is there.
        """
        with self._told():
            try:
                written = obstore.put(
                    self._notes, key, body, mode={"e_tag": replaces} if replaces else "create"
                )
            except FileNotFoundError as error:
                raise StoreUnreachableError(
                    "there is no such bucket, or what was to be replaced is gone",
                    where=f"{self.where}/{key}",
                    remedy=_REMEDY,
                ) from error
            except (AlreadyExistsError, PreconditionError) as error:
                raise PublishedMeanwhileError(
                    "another machine published or rolled back meanwhile; nothing was changed here",
                    where=f"{self.where}/{key}",
                    remedy="do it again",
                ) from error
        return written["e_tag"] or ""

    def upload(self, key: str, file: Path) -> None:
        with self._told():
            obstore.put(self._bodies, key, file)

    def chunks(self, key: str) -> Iterator[memoryview]:
        """Give an object piece by piece; raises `FileNotFoundError` where there is none."""
        with self._told():
            for chunk in obstore.get(self._bodies, key).stream(min_chunk_size=_CHUNK_BYTES):
                yield memoryview(chunk)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the bytes of every object below a prefix, by key."""
        with self._told():
            listed = obstore.list(self._notes, prefix=prefix)
            return {found["path"]: found["size"] for batch in listed for found in batch}

    def folders(self, prefix: str) -> list[str]:
        """Return the names directly below a prefix that hold objects."""
        with self._told():
            listed = obstore.list_with_delimiter(self._notes, prefix=prefix)
        return sorted(path.rsplit("/", 1)[-1] for path in listed["common_prefixes"])

    def delete(self, keys: list[str]) -> None:
        """Delete objects; those that are gone already are no error."""
        with self._told():
            for key in keys:
                try:
                    obstore.delete(self._notes, key)
                except FileNotFoundError:
                    continue

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise StoreUnreachableError(
                f"the store of marts cannot be used: {first_line[:300]}",
                where=self.where,
                remedy=_REMEDY,
            ) from error


@lru_cache(maxsize=4)
def bucket_of(place: StoredMarts) -> Bucket:
    """Return the patient client of a place: making one costs more than what it is then asked."""
    return Bucket(place)


def _client(place: StoredMarts, timeout: timedelta, *, retries: int) -> S3Store:
    store = place.store
    config: S3Config = {
        "region": store.region,
        "skip_signature": not store.key_id,
        "virtual_hosted_style_request": store.endpoint is None,
    }
    if store.endpoint:
        config["endpoint"] = f"{'https' if store.use_tls else 'http'}://{store.endpoint}"
    if store.key_id and store.secret:
        config["access_key_id"] = store.key_id
        config["secret_access_key"] = store.secret
    if store.session_token:
        config["session_token"] = store.session_token
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        config=config,
        client_options={
            "allow_http": not store.use_tls,
            "connect_timeout": timedelta(seconds=2),
            "timeout": timeout,
        },
        retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=60)},
    )
