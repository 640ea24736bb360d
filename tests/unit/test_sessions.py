"""Sessions: what opens a page, what ends one, and what the file never holds."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from martlet.access.keys import KeyStore
from martlet.access.sessions import IDLE, LIFETIME, SessionStore


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2025, 6, 30, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> KeyStore:
    return KeyStore(tmp_path / "control.sqlite", now=clock)


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> SessionStore:
    return SessionStore(tmp_path / "control.sqlite", now=clock)


def test_a_cookie_stands_for_the_tenant_and_scopes_of_its_key(
    keys: KeyStore, sessions: SessionStore
) -> None:
    key = keys.create("acme", ["query", "pii"], name="Ann's laptop").key

    cookie = sessions.begin(key).cookie
    session = sessions.read(cookie)

    assert session is not None
    assert session.principal.tenant == "acme"
    assert session.principal.scopes == {"query", "pii"}
    assert session.principal.key_id == key.id


@pytest.mark.parametrize(
    "cookie", [None, "", "x", "a" * 43, f"{'a' * 43}.{'0' * 64}", "a" * 43 + ".\n", "é" * 20]
)
def test_what_we_did_not_sign_opens_nothing(
    keys: KeyStore, sessions: SessionStore, cookie: str | None
) -> None:
    sessions.begin(keys.create("acme").key)

    assert sessions.read(cookie) is None
    sessions.end(cookie)


def test_a_cookie_with_another_session_s_signature_opens_nothing(
    keys: KeyStore, sessions: SessionStore
) -> None:
    key = keys.create("acme").key
    first, second = sessions.begin(key).cookie, sessions.begin(key).cookie

    mixed = f"{first.partition('.')[0]}.{second.partition('.')[2]}"

    assert first != second
    assert sessions.read(mixed) is None


def test_before_anybody_signed_in_no_cookie_opens_anything(
    keys: KeyStore, sessions: SessionStore, tmp_path: Path
) -> None:
    assert sessions.read(f"{'a' * 43}.{'0' * 64}") is None
    assert not (tmp_path / "control.sqlite").exists()

    keys.create("acme")

    assert sessions.read(f"{'a' * 43}.{'0' * 64}") is None


def test_a_session_ends_with_the_sign_out(keys: KeyStore, sessions: SessionStore) -> None:
    key = keys.create("acme").key
    mine, other = sessions.begin(key).cookie, sessions.begin(key).cookie

    sessions.end(mine)

    assert sessions.read(mine) is None
    assert sessions.read(other) is not None


def test_a_session_ends_when_its_key_is_revoked(keys: KeyStore, sessions: SessionStore) -> None:
    key = keys.create("acme").key
    cookie = sessions.begin(key).cookie

    keys.revoke(key.id)

    assert sessions.read(cookie) is None


def test_a_session_ends_when_its_key_expires(
    keys: KeyStore, sessions: SessionStore, clock: Clock
) -> None:
    key = keys.create("acme", lifetime=timedelta(minutes=30)).key
    cookie = sessions.begin(key).cookie

    clock.move(minutes=31)

    assert sessions.read(cookie) is None


def test_a_session_ends_after_its_lifetime_however_busy(
    keys: KeyStore, sessions: SessionStore, clock: Clock
) -> None:
    cookie = sessions.begin(keys.create("acme").key).cookie

    for _ in range(int(LIFETIME / timedelta(hours=1)) - 1):
        clock.move(hours=1)
        assert sessions.read(cookie) is not None
    clock.move(hours=1)

    assert sessions.read(cookie) is None


def test_a_session_ends_when_it_is_idle(
    keys: KeyStore, sessions: SessionStore, clock: Clock
) -> None:
    cookie = sessions.begin(keys.create("acme").key).cookie

    clock.now += IDLE

    assert sessions.read(cookie) is None


def test_the_file_holds_neither_cookie_nor_id(
    keys: KeyStore, sessions: SessionStore, tmp_path: Path
) -> None:
    cookie = sessions.begin(keys.create("acme").key).cookie

    dump = "\n".join(sqlite3.connect(tmp_path / "control.sqlite").iterdump())

    id_, _, signature = cookie.partition(".")
    assert "sessions" in dump
    assert id_ not in dump
    assert signature not in dump


def test_ended_sessions_are_swept_out_at_the_next_sign_in(
    keys: KeyStore, sessions: SessionStore, clock: Clock, tmp_path: Path
) -> None:
    key = keys.create("acme").key
    for _ in range(3):
        sessions.begin(key)
    clock.now += IDLE

    sessions.begin(key)

    count = sqlite3.connect(tmp_path / "control.sqlite").execute("select count(*) from sessions")
    assert count.fetchone() == (1,)


def test_a_form_token_is_good_for_its_nonce_and_its_time(
    keys: KeyStore, sessions: SessionStore, clock: Clock
) -> None:
    keys.create("acme")
    token = sessions.form_token("n" * 22)

    assert sessions.is_form_token("n" * 22, token)
    assert not sessions.is_form_token("m" * 22, token)
    assert not sessions.is_form_token(None, token)
    assert not sessions.is_form_token("n" * 22, token[:-1])
    assert not sessions.is_form_token("n" * 22, "")
    assert not sessions.is_form_token("n" * 22, f"9{token}")
    clock.move(hours=13)
    assert not sessions.is_form_token("n" * 22, token)
