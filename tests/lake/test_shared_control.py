"""Keys in a PostgreSQL that machines share do what keys in a file do, and survive its restart."""

import subprocess
import sys
from datetime import timedelta

import pytest
from bench.servers.postgres import PASSWORD, Server

from martlet.access.errors import AccessDeniedError, ControlFileError
from martlet.access.keys import KeyStore
from martlet.access.sessions import SessionStore
from martlet.errors import BadInputError
from martlet.settings import ControlDatabase, load_settings
from tests.project import REPOSITORY


@pytest.fixture(scope="module")
def place(postgres: Server) -> ControlDatabase:
    return ControlDatabase(postgres.make_database("control"))


def test_reading_makes_no_tables(postgres: Server) -> None:
    store = KeyStore(ControlDatabase(postgres.make_database("control_unread")))

    assert store.list() == ()
    assert store.verify(f"mk_{'0' * 12}_{'A' * 43}") is None
    with pytest.raises(BadInputError):
        store.revoke("0" * 12)
    assert not store.exists()
    store.close()


def test_machines_that_make_the_tables_at_once_share_them(postgres: Server) -> None:
    keywords = postgres.make_database("control_at_once")
    code = (
        "import sys; from martlet.access.keys import KeyStore;"
        "from martlet.settings import ControlDatabase;"
        "store = KeyStore(ControlDatabase(sys.argv[1])); store.create('acme');"
        "print(store.pseudonym_key())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, keywords], stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        for _ in range(4)
    ]
    told = {process.communicate(timeout=60)[0] for process in started}

    assert len(told) == 1
    assert len(KeyStore(ControlDatabase(keywords)).list("acme")) == 4


def test_a_key_is_rotated_and_revoked_for_every_machine(place: ControlDatabase) -> None:
    here, there = KeyStore(place), KeyStore(place)
    made = here.create("acme", ("query",), name="a dashboard")

    assert there.require(made.text).tenant == "acme"
    new, old = there.rotate(here.find("acme").id, timedelta(hours=1))
    assert old.replaced_by == new.key.id
    assert here.verify(made.text) is not None
    there.revoke(old.id)
    with pytest.raises(AccessDeniedError, match="revoked"):
        here.require(made.text)
    assert here.require(new.text).last_used_at is None
    assert here.require(new.text).last_used_at is not None
    assert here.pseudonym_key() == there.pseudonym_key()


def test_who_signed_in_at_one_server_is_known_at_the_other(place: ControlDatabase) -> None:
    keys = KeyStore(place)
    key = keys.create("acme").key
    session = SessionStore(place).begin(key)

    there = SessionStore(place)
    known = there.read(session.cookie)
    assert known is not None
    assert known.principal.tenant == "acme"
    assert there.counts() == {key.id: 1}
    keys.revoke(key.id)
    assert there.read(session.cookie) is None
    there.end(session.cookie)
    assert there.counts() == {}


def test_after_a_restart_of_the_server_keys_open_again(
    postgres: Server, place: ControlDatabase
) -> None:
    store = KeyStore(place)
    made = store.create("bea")
    assert store.verify(made.text)

    postgres.restart()

    assert store.verify(made.text)


def test_a_server_that_is_gone_is_an_error_without_secrets() -> None:
    store = KeyStore(ControlDatabase("host=127.0.0.1 port=9 user=martlet dbname=none"))

    for _ in range(2):
        with pytest.raises(ControlFileError) as told:
            store.list()
        assert PASSWORD not in str(told.value)
        assert told.value.where == "MARTLET_CONTROL"


@pytest.mark.parametrize(
    "stated", ["postgres:host=db password=x", "host=db", "postgres:", "postgres://u:p@db/x"]
)
def test_what_is_no_address_of_a_database_is_refused(stated: str) -> None:
    with pytest.raises(BadInputError, match="MARTLET_CONTROL"):
        load_settings({"MARTLET_CONTROL": stated}, REPOSITORY)


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("MARTLET_MARTS", "/a/folder"),
        ("MARTLET_MARTS", "s3://"),
        ("MARTLET_MARTS_CHECK_SECONDS", "soon"),
        ("MARTLET_MARTS_CACHE", "much"),
    ],
)
def test_what_is_no_place_of_marts_is_refused(name: str, stated: str) -> None:
    with pytest.raises(BadInputError, match=name):
        load_settings({"MARTLET_MARTS": "s3://bucket/prefix", name: stated}, REPOSITORY)


def test_a_place_of_marts_is_read_with_and_without_a_prefix() -> None:
    places = [
        load_settings({"MARTLET_MARTS": stated}, REPOSITORY).stored_marts
        for stated in ("s3://our-marts", "s3://our-marts/", "s3://our-marts/a/b/")
    ]

    assert [(p.bucket, p.prefix) for p in places if p] == [
        ("our-marts", ""),
        ("our-marts", ""),
        ("our-marts", "a/b"),
    ]
