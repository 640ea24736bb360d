"""The file of keys: made whole and private, shared by processes, refused where it is not sound."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from martlet.access.control import SCHEMA_VERSION
from martlet.access.errors import ControlFileError
from martlet.access.keys import KeyStore
from martlet.errors import BadInputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "control.sqlite"


@pytest.fixture
def store(path: Path) -> KeyStore:
    return KeyStore(path)


def test_the_file_and_its_logs_are_readable_by_their_owner_only(
    store: KeyStore, path: Path
) -> None:
    previous = os.umask(0)
    try:
        store.create("acme")
    finally:
        os.umask(previous)

    for file in path.parent.glob("control.sqlite*"):
        if file.suffix != ".lock":  # an empty file
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma user_version").fetchone() == (SCHEMA_VERSION,)


def test_reading_makes_no_file(store: KeyStore, path: Path) -> None:
    assert store.list() == ()
    assert store.verify(f"mk_{'0' * 12}_{'A' * 43}") is None
    with pytest.raises(BadInputError):
        store.revoke("0" * 12)
    assert not path.parent.exists()


def test_processes_that_make_the_file_at_once_share_one(path: Path) -> None:
    code = (
        "import sys, pathlib; from martlet.access.keys import KeyStore;"
        "store = KeyStore(pathlib.Path(sys.argv[1])); store.create('acme');"
        "print(store.pseudonym_key())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]

    printed = {process.communicate()[0] for process in started}

    assert all(process.returncode == 0 for process in started)
    assert len(printed) == 1
    assert len(KeyStore(path).list("acme")) == 4


def test_a_file_put_in_place_of_another_counts_at_once(
    store: KeyStore, path: Path, tmp_path: Path
) -> None:
    lost = store.create("acme")
    assert store.verify(lost.text)
    other = KeyStore(tmp_path / "other" / "control.sqlite")
    restored = other.create("acme")
    other.close()

    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink()
    (tmp_path / "other" / "control.sqlite").replace(path)

    assert store.verify(lost.text) is None
    assert store.verify(restored.text) == restored.key
    path.unlink()
    assert store.verify(restored.text) is None


def test_the_log_of_a_lost_file_does_not_reach_the_next_one(path: Path) -> None:
    code = (
        "import os, sys, pathlib; from martlet.access.keys import KeyStore;"
        "store = KeyStore(pathlib.Path(sys.argv[1])); store.list();"
        "store.create('lost'); store.list(); store.create('lost'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.with_name("control.sqlite-wal").stat().st_size
    path.unlink()

    KeyStore(path).create("acme")

    assert [key.tenant for key in KeyStore(path).list()] == ["acme"]


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"pragma user_version = {SCHEMA_VERSION + 1}")


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("create table keys (id)")


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (newer, "newer Martlet"),
        (foreign, "no control file"),
        (damaged, "damaged"),
        (lambda path: path.write_bytes(b"no database, " * 500), "damaged"),
        (lambda path: path.write_bytes(b""), "no control file"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
    ],
    ids=["newer", "foreign", "damaged", "text", "empty", "cut"],
)
def test_a_file_that_cannot_be_used_is_named_and_left_alone(
    path: Path, harm: object, told: str
) -> None:
    with KeyStore(path) as before:
        new = before.create("acme")
        before.list()
    harm(path)  # type: ignore[operator]
    content = path.read_bytes()
    store = KeyStore(path)

    for use in (
        store.list,
        store.pseudonym_key,
        lambda: store.verify(new.text),
        lambda: store.create("acme"),
    ):
        with pytest.raises(ControlFileError, match=told) as error:
            use()
        assert new.text[16:] not in str(error.value)
    assert path.read_bytes() == content


def test_a_held_file_is_told_as_held(store: KeyStore, path: Path) -> None:
    store.create("acme")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("begin immediate")

    with pytest.raises(ControlFileError, match="held by another process"):
        KeyStore(path, busy_seconds=0.1).create("acme")
    writer.close()
