"""Keys: made, listed, rotated, revoked and recognised. Only a hash of the secret is kept."""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from martlet.access.control import BUSY_SECONDS, Writing, control_at
from martlet.access.errors import AccessDeniedError
from martlet.access.scopes import DEFAULT_SCOPES, checked_scopes
from martlet.errors import BadInputError, nearest
from martlet.naming import slug_problem, tenant_slug_problem
from martlet.settings import ControlDatabase

KEY_PREFIX = "mk_"
DEFAULT_LIFETIME = timedelta(days=365)
DEFAULT_OVERLAP = timedelta(hours=24)
MAX_LIFETIME_DAYS = 3650
MAX_NAME_LENGTH = 100

_KEY = re.compile(r"mk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAMED = re.compile(r"(?:mk_)?([0-9a-f]{12})(?:_[A-Za-z0-9_-]*)?")
_NO_HASH = bytes(32)  # compared where there is no such key, so that both cost the same
_TOUCH_SECONDS = 60.0
_COLUMNS = "id, tenant, scopes, name, created_at, expires_at, revoked_at, last_used_at, replaced_by"

Status = Literal["live", "expired", "revoked"]


@dataclass(frozen=True)
class Key:
    """What is known of a key; its secret is not. Moments are UTC."""

    id: str
    tenant: str
    scopes: frozenset[str]
    name: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    replaced_by: str | None = None

    def status(self, now: datetime) -> Status:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= self.expires_at else "live"


@dataclass(frozen=True)
class NewKey:
    """A key with its text, which exists nowhere else."""

    key: Key
    text: str = field(repr=False)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class KeyStore:
    """The keys of one installation; safe for threads, and for processes side by side.

    Every method raises `ControlFileError` where the file cannot be used.
    """

    def __init__(
        self,
        place: Path | ControlDatabase,
        *,
        now: Callable[[], datetime] = _utc_now,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._file = control_at(place, busy_seconds=busy_seconds)
        self._now = now
        self._touched: dict[str, float] = {}
        self._touch_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def exists(self) -> bool:
        """Say whether a key was ever made here."""
        return self._file.exists()

    def close(self) -> None:
        self._file.close()

    def create(
        self,
        tenant: str,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        *,
        name: str | None = None,
        lifetime: timedelta = DEFAULT_LIFETIME,
    ) -> NewKey:
        """Make a key. That the tenant exists is the caller's to know."""
        problem = tenant_slug_problem(tenant)
        if problem:
            raise BadInputError(f"{tenant!r} cannot be a tenant: {problem}", where="tenant")
        new = self._new(tenant, checked_scopes(scopes), _checked_name(name), _checked(lifetime))
        with self._file.transaction() as connection:
            _insert(connection, new)
        return new

    def list(self, tenant: str | None = None) -> tuple[Key, ...]:
        """Return the keys, of one tenant or all, the oldest of each tenant first."""
        chosen = () if tenant is None else (tenant,)
        rows = self._file.rows(
            f"select {_COLUMNS} from keys{' where tenant = ?' if chosen else ''}"
            " order by tenant, created_at, id",
            *chosen,
        )
        return tuple(map(_key, rows))

    def find(self, named: str) -> Key:
        """Return the key of this id or, where a tenant is named, its only live key.

        Also takes a whole key, as it may have been found in a log; messages never repeat it.
        """
        keys = self.list()
        as_id = _NAMED.fullmatch(named.strip())
        for key in keys:
            if as_id and key.id == as_id[1]:
                return key
        own = [key for key in keys if key.tenant == named.strip()]
        live = [key for key in own if key.status(self._now()) == "live"]
        if len(live) == 1:
            return live[0]
        if own:
            ids = ", ".join(key.id for key in live)
            raise BadInputError(
                f"tenant {named.strip()!r} has {len(live)} live keys: {ids}"
                if live
                else f"tenant {named.strip()!r} has no live key",
                where="keys",
                remedy="name one by its id" if live else f"martlet keys create {named.strip()}",
            )
        raise _unknown(as_id[1] if as_id else named.strip(), keys)

    def rotate(self, key_id: str, overlap: timedelta = DEFAULT_OVERLAP) -> tuple[NewKey, Key]:
        """Return a successor with all that the key has but its secret, and the key itself.

        The key expires after `overlap`, or when it would have anyway; its successor lives as long
        as the key was made for.
        """
        if overlap < timedelta(0):
            raise BadInputError("an overlap cannot be negative", where="overlap")
        now = self._now()
        self._require_known(key_id)
        with self._file.transaction() as connection:
            old = _read(connection, key_id)
            if old.replaced_by is not None:
                raise BadInputError(
                    f"key {key_id} was already replaced by {old.replaced_by}",
                    where="keys",
                    remedy=f"martlet keys rotate {old.replaced_by}",
                )
            if old.status(now) != "live":
                raise BadInputError(
                    f"key {key_id} is {old.status(now)}",
                    where="keys",
                    remedy=f"martlet keys create {old.tenant}",
                )
            new = self._new(old.tenant, old.scopes, old.name, old.expires_at - old.created_at)
            _insert(connection, new)
            # Within one lifetime of `now`, so that no overlap is beyond the calendar's end.
            expires_at = min(old.expires_at, now + min(overlap, old.expires_at - now))
            connection.execute(
                "update keys set expires_at = ?, replaced_by = ? where id = ?",
                (_text(expires_at), new.key.id, key_id),
            )
            return new, _read(connection, key_id)

    def revoke(self, key_id: str) -> Key:
        """Let the key open nothing from now on; one that was revoked before stays as it is."""
        self._require_known(key_id)
        with self._file.transaction() as connection:
            connection.execute(
                "update keys set revoked_at = ? where id = ? and revoked_at is null",
                (_text(self._now()), key_id),
            )
            return _read(connection, key_id)

    def verify(self, text: str) -> Key | None:
        """Return the live key that `text` is, or None."""
        try:
            return self.require(text)
        except AccessDeniedError:
            return None

    def require(self, text: str) -> Key:
        """Return the live key that `text` is; raises `AccessDeniedError` with the reason."""
        form = _KEY.fullmatch(text)
        if form is None:
            raise AccessDeniedError("unknown_key")
        rows = self._file.rows(f"select secret_sha256, {_COLUMNS} from keys where id = ?", form[1])
        known = rows[0][0] if rows else _NO_HASH
        matches = hmac.compare_digest(known, _sha256(form[2]))
        if not matches or not rows:
            raise AccessDeniedError("unknown_key")
        key = _key(rows[0][1:])
        now = self._now()
        status = key.status(now)
        if status == "revoked":
            raise AccessDeniedError("revoked_key")
        if status == "expired":
            raise AccessDeniedError("expired_key")
        self._touch(key, now)
        return key

    def pseudonym_key(self) -> str:
        """Return the secret (64 hex digits) that masks personal values, the same for ever."""
        sql = "select value from installation_secrets where name = 'pseudonym_key'"
        if not self._file.rows(sql):
            with self._file.transaction():
                pass  # makes the file, and the secret with it
        ((value,),) = self._file.rows(sql)
        return str(value)

    def _new(
        self, tenant: str, scopes: frozenset[str], name: str | None, lifetime: timedelta
    ) -> NewKey:
        now = self._now()
        key_id = secrets.token_hex(6)
        key = Key(key_id, tenant, scopes, name, now, now + lifetime)
        return NewKey(key, f"{KEY_PREFIX}{key_id}_{secrets.token_urlsafe(32)}")

    def _require_known(self, key_id: str) -> None:
        """Raise `BadInputError` for an unknown id before anything could be written."""
        keys = self.list()
        if all(key.id != key_id for key in keys):
            raise _unknown(key_id, keys)

    def _touch(self, key: Key, now: datetime) -> None:
        """Remember the use, at most once a minute; no failure of it may fail a request."""
        last = key.last_used_at
        if last is not None and abs((now - last).total_seconds()) < _TOUCH_SECONDS:
            return
        tick = time.monotonic()
        with self._touch_lock:
            tried = self._touched.get(key.id)
            if tried is not None and tick - tried < _TOUCH_SECONDS:
                return
            self._touched[key.id] = tick
        self._file.write_or_forget(
            "update keys set last_used_at = ? where id = ?", _text(now), key.id
        )


def _insert(connection: Writing, new: NewKey) -> None:
    key = new.key
    connection.execute(
        "insert into keys (id, tenant, scopes, name, secret_sha256, created_at, expires_at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (
            key.id,
            key.tenant,
            " ".join(sorted(key.scopes)),
            key.name,
            _sha256(new.text.removeprefix(f"{KEY_PREFIX}{key.id}_")),
            _text(key.created_at),
            _text(key.expires_at),
        ),
    )


def _read(connection: Writing, key_id: str) -> Key:
    row = connection.execute(f"select {_COLUMNS} from keys where id = ?", (key_id,)).fetchone()
    return _key(row)


def _key(row: tuple[Any, ...]) -> Key:
    id_, tenant, scopes, name, created_at, expires_at, revoked_at, last_used_at, replaced_by = row
    return Key(
        id=id_,
        tenant=tenant,
        scopes=frozenset(scopes.split()),
        name=name,
        created_at=datetime.fromisoformat(created_at),
        expires_at=datetime.fromisoformat(expires_at),
        revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
        last_used_at=datetime.fromisoformat(last_used_at) if last_used_at else None,
        replaced_by=replaced_by,
    )


def _sha256(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _checked(lifetime: timedelta) -> timedelta:
    if not timedelta(0) < lifetime <= timedelta(days=MAX_LIFETIME_DAYS):
        raise BadInputError(
            f"a key lives longer than no time and at most {MAX_LIFETIME_DAYS} days",
            where="lifetime",
        )
    return lifetime


def _checked_name(name: str | None) -> str | None:
    stripped = (name or "").strip()
    if len(stripped) > MAX_NAME_LENGTH or not stripped.isprintable():
        raise BadInputError(
            f"the name has {len(stripped)} characters; it may have {MAX_NAME_LENGTH},"
            " all of them printable",
            where="name",
        )
    if KEY_PREFIX in stripped and _KEY.search(stripped):
        raise BadInputError(
            "the name holds a key, and names are shown",
            where="name",
            remedy="revoke that key, and choose a name that says who uses the new one",
        )
    return stripped or None


def _unknown(named: str, keys: tuple[Key, ...]) -> BadInputError:
    """Return the error for what is neither an id nor a tenant with keys.

    What looks like neither is not repeated: it may be a secret in the wrong place.
    """
    if _NAMED.fullmatch(named):
        what = f"there is no key {named}"
    elif slug_problem(named) is None:
        what = f"no key and no tenant with keys is called {named!r}; "
        what += nearest(named, {key.tenant for key in keys})
    else:
        what = "this is neither the id of a key nor a tenant"
    return BadInputError(what, where="keys", remedy="martlet keys list")
