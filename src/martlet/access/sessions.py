"""Sessions of the pages: a key signs in once, a cookie stands for it until one of them ends."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from martlet.access.control import BUSY_SECONDS, control_at
from martlet.access.keys import Key
from martlet.access.principal import Principal
from martlet.settings import ControlDatabase

LIFETIME = timedelta(hours=12)
IDLE = timedelta(hours=2)
# A form that was open longer is refused, and shown anew with another token.
FORM_LIFETIME = timedelta(hours=12)

_COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9a-f]{64})")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_SEEN_SECONDS = 60.0
_SECRET = "session_key"


@dataclass(frozen=True)
class Session:
    """One signed-in browser. `form_token` is what its forms carry, `expires_at` is UTC."""

    principal: Principal
    expires_at: datetime
    form_token: str = field(repr=False)


@dataclass(frozen=True)
class NewSession:
    """A session with its cookie's text, which exists nowhere else."""

    session: Session
    cookie: str = field(repr=False)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SessionStore:
    """The sessions of one installation, beside its keys; safe for threads and processes.

    A session has the tenant and the scopes that its key has now, and ends with it. Every method
    raises `ControlFileError` where the file cannot be used.
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

    def begin(self, key: Key) -> NewSession:
        """Make a session for a key that was just verified; ended ones are swept out."""
        now = self._now()
        id_ = secrets.token_urlsafe(32)
        expires_at = min(now + LIFETIME, key.expires_at)
        with self._file.transaction() as connection:
            self._file.ensure_sessions(connection)
            connection.execute(
                "insert into installation_secrets values (?, ?) on conflict do nothing",
                (_SECRET, secrets.token_hex(32)),
            )
            connection.execute(
                "delete from sessions where expires_at <= ? or seen_at <= ?",
                (_text(now), _text(now - IDLE)),
            )
            connection.execute(
                "insert into sessions values (?, ?, ?, ?, ?)",
                (_sha256(id_), key.id, _text(now), _text(expires_at), _text(now)),
            )
        principal = Principal(key.tenant, key.scopes, key_id=key.id, subject=key.name)
        session = Session(principal, expires_at, self._form_token(id_))
        return NewSession(session, f"{id_}.{self._signature('cookie', id_)}")

    def read(self, cookie: str | None) -> Session | None:
        """Return the live session of a cookie; None also when its key was revoked or expired."""
        id_ = self._id_of(cookie)
        if id_ is None:
            return None
        now = self._now()
        rows = self._file.rows(
            "select s.expires_at, s.seen_at, k.id, k.tenant, k.scopes, k.name"
            " from sessions s join keys k on k.id = s.key_id"
            " where s.id_sha256 = ? and s.expires_at > ? and s.seen_at > ?"
            " and k.revoked_at is null and k.expires_at > ?",
            _sha256(id_),
            _text(now),
            _text(now - IDLE),
            _text(now),
        )
        if not rows:
            return None
        expires_at, seen_at, key_id, tenant, scopes, name = rows[0]
        if (now - datetime.fromisoformat(seen_at)).total_seconds() >= _SEEN_SECONDS:
            self._file.write_or_forget(
                "update sessions set seen_at = ? where id_sha256 = ?", _text(now), _sha256(id_)
            )
        return Session(
            Principal(tenant, frozenset(scopes.split()), key_id=key_id, subject=name),
            datetime.fromisoformat(expires_at),
            self._form_token(id_),
        )

    def end(self, cookie: str | None) -> None:
        """Delete the session of a cookie; without one there is nothing to do."""
        id_ = self._id_of(cookie)
        if id_ is not None:
            with self._file.transaction() as connection:
                connection.execute("delete from sessions where id_sha256 = ?", (_sha256(id_),))

    def counts(self) -> dict[str, int]:
        """Return how many sessions each key has open, by the key's id."""
        if not self._file.has_sessions():
            return {}
        now = self._now()
        rows = self._file.rows(
            "select key_id, count(*) from sessions where expires_at > ? and seen_at > ?"
            " group by key_id",
            _text(now),
            _text(now - IDLE),
        )
        return dict(rows)

    def form_token(self, nonce: str) -> str:
        """Return the token of a form that is shown to nobody in particular.

        `nonce` is in a cookie of that browser: a form of another site has no such pair.
        """
        until = int((self._now() + FORM_LIFETIME).timestamp())
        return f"{until}.{self._signature('form', f'{nonce}.{until}')}"

    def is_form_token(self, nonce: str | None, token: str) -> bool:
        """Say whether the token was made for this nonce and is not too old."""
        until, _, signature = token.partition(".")
        if not nonce or not _NONCE.fullmatch(nonce) or not re.fullmatch(r"[0-9]{1,12}", until):
            return False
        expected = self._signature("form", f"{nonce}.{until}")
        return self._now().timestamp() < int(until) and hmac.compare_digest(
            expected.encode(), signature.encode()
        )

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        self._file.close()

    def _id_of(self, cookie: str | None) -> str | None:
        """Return the id in a cookie that we signed."""
        form = _COOKIE.fullmatch(cookie or "")
        if form is None or not self._file.has_sessions():
            return None
        signature = self._signature("cookie", form[1])
        return form[1] if hmac.compare_digest(signature, form[2]) else None

    def _form_token(self, id_: str) -> str:
        return self._signature("session form", id_)

    def _signature(self, purpose: str, text: str) -> str:
        secret = bytes.fromhex(self._secret())
        return hmac.new(secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()

    def _secret(self) -> str:
        sql = "select value from installation_secrets where name = ?"
        rows = self._file.rows(sql, _SECRET)
        if not rows:
            with self._file.transaction() as connection:
                connection.execute(
                    "insert into installation_secrets values (?, ?) on conflict do nothing",
                    (_SECRET, secrets.token_hex(32)),
                )
            rows = self._file.rows(sql, _SECRET)
        return str(rows[0][0])


def _sha256(id_: str) -> bytes:
    return hashlib.sha256(id_.encode()).digest()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
