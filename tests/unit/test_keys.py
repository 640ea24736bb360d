"""Keys: who has the secret is let in while the key lives, and nothing else holds the secret."""

import logging
import sqlite3
import threading
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from martlet.access.authentication import authenticate, bearer_of
from martlet.access.errors import AccessDeniedError
from martlet.access.keys import KeyStore, NewKey
from martlet.access.principal import Principal
from martlet.errors import BadInputError

START = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "control.sqlite"


@pytest.fixture
def store(path: Path, clock: Clock) -> KeyStore:
    return KeyStore(path, now=clock)


def secret_of(new: NewKey) -> str:
    return new.text.removeprefix(f"mk_{new.key.id}_")


def changed(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def reason(store: KeyStore, text: str) -> str:
    with pytest.raises(AccessDeniedError) as denied:
        store.require(text)
    assert store.verify(text) is None
    return denied.value.reason


def test_a_key_is_recognised_with_its_tenant_scopes_and_name(store: KeyStore) -> None:
    new = store.create("acme", {"query", "pii"}, name=" dashboard ")

    found = store.verify(new.text)

    assert found == new.key
    assert (found.tenant, found.scopes, found.name) == ("acme", {"query", "pii"}, "dashboard")
    assert found.expires_at == START + 365 * DAY


def test_an_unknown_id_and_a_wrong_secret_are_told_alike(store: KeyStore) -> None:
    new, other = store.create("acme"), store.create("globex")
    swapped = f"mk_{new.key.id}_{secret_of(other)}"
    unknown = f"mk_{'0' * 12}_{secret_of(new)}"

    assert {reason(store, text) for text in (changed(new.text), swapped, unknown)} == {
        "unknown_key"
    }


@pytest.mark.parametrize(
    "text", ["", "mk_", "mk_abc_def", "x" * 70_000, "mk_' or 1=1 --", "mk_\x00", "mk_é"]
)
def test_what_has_not_the_form_of_a_key_is_unknown(store: KeyStore, text: str) -> None:
    store.create("acme")

    assert reason(store, text) == "unknown_key"


def test_a_key_followed_by_anything_is_another_text(store: KeyStore) -> None:
    new = store.create("acme")

    assert reason(store, f"{new.text}\n") == "unknown_key"
    assert reason(store, f" {new.text}") == "unknown_key"


def test_an_expired_key_says_so_only_to_who_has_its_secret(store: KeyStore, clock: Clock) -> None:
    new = store.create("acme", lifetime=DAY)
    clock.now += DAY - timedelta(microseconds=1)
    assert store.verify(new.text)

    clock.now += timedelta(microseconds=1)

    assert reason(store, new.text) == "expired_key"
    assert reason(store, changed(new.text)) == "unknown_key"


def test_a_revocation_counts_at_once_in_another_open_store(
    store: KeyStore, path: Path, clock: Clock
) -> None:
    new = store.create("acme")
    serving = KeyStore(path, now=clock)
    assert serving.verify(new.text)

    first = store.revoke(new.key.id)
    clock.now += DAY

    assert reason(serving, new.text) == "revoked_key"
    assert store.revoke(new.key.id).revoked_at == first.revoked_at == START


def test_both_keys_open_during_the_overlap_and_then_only_the_new_one(
    store: KeyStore, clock: Clock
) -> None:
    old = store.create("acme", {"query"}, name="etl", lifetime=90 * DAY)
    clock.now += 30 * DAY

    new, replaced = store.rotate(old.key.id)

    assert replaced.replaced_by == new.key.id
    assert (new.key.tenant, new.key.scopes, new.key.name) == ("acme", {"query"}, "etl")
    assert new.key.expires_at - new.key.created_at == 90 * DAY
    assert secret_of(new) != secret_of(old)
    clock.now += timedelta(hours=23)
    assert store.verify(old.text)
    assert store.verify(new.text)
    clock.now += timedelta(hours=1)
    assert reason(store, old.text) == "expired_key"
    assert store.verify(new.text)


def test_an_overlap_never_prolongs_a_key(store: KeyStore) -> None:
    first = store.create("acme", lifetime=timedelta(hours=1))
    second = store.create("acme")

    _, old = store.rotate(first.key.id, overlap=timedelta.max)
    store.rotate(second.key.id, overlap=timedelta(0))

    assert old.expires_at == START + timedelta(hours=1)
    assert reason(store, second.text) == "expired_key"


def test_only_a_live_key_that_has_no_successor_is_rotated(store: KeyStore, clock: Clock) -> None:
    replaced, revoked, expired = (store.create("acme", lifetime=DAY) for _ in range(3))
    successor, _ = store.rotate(replaced.key.id)
    store.revoke(revoked.key.id)

    with pytest.raises(BadInputError, match=successor.key.id):
        store.rotate(replaced.key.id)
    with pytest.raises(BadInputError, match="revoked"):
        store.rotate(revoked.key.id)
    clock.now += DAY
    with pytest.raises(BadInputError, match="expired"):
        store.rotate(expired.key.id)
    assert len(store.list()) == 4


def test_two_rotations_at_once_make_one_successor(store: KeyStore, path: Path) -> None:
    old = store.create("acme")
    outcomes: list[object] = []

    def rotate() -> None:
        try:
            outcomes.append(KeyStore(path, now=Clock()).rotate(old.key.id))
        except BadInputError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=rotate) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 6
    assert sum(isinstance(outcome, BadInputError) for outcome in outcomes) == 5
    assert len(store.list("acme")) == 2


def test_a_tenant_stands_for_its_only_live_key_and_for_no_other(store: KeyStore) -> None:
    only = store.create("acme").key
    store.revoke(store.create("acme").key.id)
    several = [store.create("globex").key.id for _ in range(2)]

    assert store.find("acme") == only
    with pytest.raises(BadInputError) as error:
        store.find("globex")
    assert all(key_id in str(error.value) for key_id in several)
    with pytest.raises(BadInputError, match="did you mean 'acme'"):
        store.find("acmee")


def test_a_whole_key_may_be_named_and_is_never_repeated(store: KeyStore) -> None:
    new = store.create("acme")
    foreign = f"mk_{'0' * 12}_{secret_of(new)}"

    assert store.find(new.text) == new.key
    for text in (foreign, foreign[3:], secret_of(new), f"{foreign}?"):
        with pytest.raises(BadInputError) as error:
            store.find(text)
        assert secret_of(new) not in str(error.value)


def test_the_use_is_remembered_once_a_minute(store: KeyStore, path: Path, clock: Clock) -> None:
    new = store.create("acme")

    def used_at() -> datetime | None:
        return store.list()[0].last_used_at

    assert used_at() is None
    store.verify(new.text)
    clock.now += timedelta(seconds=59)
    KeyStore(path, now=clock).verify(new.text)
    assert used_at() == START
    clock.now += timedelta(seconds=1)
    KeyStore(path, now=clock).verify(new.text)
    assert used_at() == START + timedelta(seconds=60)


def test_a_use_that_cannot_be_written_fails_no_request_and_delays_none(
    store: KeyStore, path: Path
) -> None:
    new = store.create("acme")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("begin immediate")
    begun = datetime.now(UTC)

    found = store.verify(new.text)

    assert found == new.key
    assert datetime.now(UTC) - begun < timedelta(seconds=1)
    writer.execute("rollback")
    writer.close()
    assert store.list()[0].last_used_at is None


def test_only_a_hash_of_the_secret_is_in_the_files(store: KeyStore, path: Path) -> None:
    new = store.create("acme")
    store.verify(new.text)

    for file in path.parent.iterdir():
        assert secret_of(new).encode() not in file.read_bytes(), file.name


def test_threads_share_a_store(store: KeyStore) -> None:
    made = [store.create(f"tenant_{number}") for number in range(8)]
    wrong: list[str] = []

    def ask(new: NewKey) -> None:
        for _ in range(200):
            found = store.verify(new.text)
            if found is None or found.tenant != new.key.tenant:
                wrong.append(new.key.tenant)

    threads = [threading.Thread(target=ask, args=(new,)) for new in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


def test_the_secret_for_pseudonyms_is_made_once_per_installation(
    store: KeyStore, path: Path, tmp_path: Path
) -> None:
    made = store.pseudonym_key()

    assert len(bytes.fromhex(made)) == 32
    assert store.pseudonym_key() == KeyStore(path).pseudonym_key() == made
    assert KeyStore(tmp_path / "other" / "control.sqlite").pseudonym_key() != made


@pytest.mark.parametrize(
    "arguments",
    [
        {"scopes": {"querry"}},
        {"scopes": ()},
        {"tenant": "Acme"},
        {"tenant": "../acme"},
        {"tenant": "shared"},
        {"lifetime": timedelta(0)},
        {"lifetime": timedelta(days=3651)},
        {"name": "a\x1b[2Jb"},
        {"name": "x" * 101},
    ],
)
def test_what_no_key_can_be_is_refused_before_anything_is_written(
    store: KeyStore, path: Path, arguments: dict[str, object]
) -> None:
    with pytest.raises(BadInputError):
        store.create(**({"tenant": "acme"} | arguments))  # type: ignore[arg-type]

    assert not path.exists()


def test_no_secret_is_in_a_representation_an_error_or_a_log(
    store: KeyStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    new = store.create("acme", lifetime=DAY)
    key = store.verify(new.text)
    clock.now += DAY
    told = [repr(new), str(new), repr(key), repr(store), repr(vars(store))]

    for attempt in (
        lambda: authenticate(new.text, store, None),
        lambda: authenticate(changed(new.text), store, None),
        lambda: authenticate(secret_of(new), store, None),
        lambda: store.create("acme", name=new.text),
    ):
        with pytest.raises((AccessDeniedError, BadInputError)) as error:
            attempt()
        told += [str(error.value), *traceback.format_exception(error.value)]

    assert secret_of(new)[:-1] not in "".join([*told, caplog.text])


def test_a_key_makes_a_principal_that_logs_can_name(store: KeyStore) -> None:
    new = store.create("acme", {"query"}, name="etl")

    principal = authenticate(bearer_of(f"bearer  {new.text} "), store, None)

    assert principal == Principal("acme", frozenset({"query"}), new.key.id, "etl")
    assert principal.caller == new.key.id


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "mk_0_a"])
def test_no_credentials_are_told_as_none(header: str | None) -> None:
    with pytest.raises(AccessDeniedError) as denied:
        bearer_of(header)

    assert denied.value.reason == "no_credentials"


def test_a_tenants_key_reaches_its_own_tenant_with_its_own_scopes() -> None:
    principal = Principal("acme", frozenset({"query"}))

    assert principal.may("query")
    assert not any(map(principal.may, ("observability", "pii", "admin", "")))
    assert principal.may_reach("acme")
    assert not any(map(principal.may_reach, ("globex", "_operators", "")))


def test_an_operator_reaches_every_tenant_but_no_personal_data() -> None:
    operator = Principal("acme", frozenset({"admin"}))

    assert all(map(operator.may, ("query", "observability", "admin")))
    assert not operator.may("pii")
    assert Principal("acme", frozenset({"admin", "pii"})).may("pii")
    assert all(map(operator.may_reach, ("acme", "globex", "_operators")))
