"""Which engine a project has, and what its environment must and must not say."""

import sys
from pathlib import Path

import pytest

from martlet.engines.duckdb_engine import DuckDBEngine
from martlet.engines.ducklake import DuckLakeEngine
from martlet.engines.motherduck import MotherDuckEngine
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError
from martlet.settings import load_settings
from tests.project import REPOSITORY, new_project

POSTGRES = "postgres:host=db.example dbname=lake user=martlet"


@pytest.mark.parametrize(
    ("target", "engine"),
    [
        ("", DuckDBEngine),
        ("duckdb", DuckDBEngine),
        ("ducklake", DuckLakeEngine),
        ("motherduck", MotherDuckEngine),
    ],
)
def test_each_target_has_its_engine(target: str, engine: type) -> None:
    settings = load_settings({"MARTLET_TARGET": target}, REPOSITORY)

    assert type(engine_of(settings)) is engine


def test_a_target_that_there_is_not_is_a_wrong_input() -> None:
    with pytest.raises(BadInputError, match=r"no target 'oracle'.*duckdb, ducklake, motherduck"):
        load_settings({"MARTLET_TARGET": "oracle"}, REPOSITORY)


def test_the_command_line_names_the_target(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project", {})
    project.configure({})

    told = project.martlet("--target", "oracle", "check", check=False)
    own = project.martlet("--target", "ducklake", "init-library")

    assert told.code == 2
    assert "no target 'oracle'" in told.stderr
    assert own.code == 0
    assert (project.folder / "data" / "lake.ducklake").is_file()
    assert not project.warehouse.exists()


def test_a_catalogue_whose_client_is_not_installed_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "martlet.engines.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    lake = {"MARTLET_TARGET": "ducklake", "MARTLET_LAKE_CATALOGUE": POSTGRES}

    with pytest.raises(BadInputError, match=r"(?s)needs its client.*martlet\[lake\]"):
        engine_of(load_settings(lake, REPOSITORY)).has_warehouse()


@pytest.mark.parametrize(
    "catalogue",
    [
        "postgres:host=db password=secret",
        "postgres:host=db PASSWORD = 'secret'",
        "postgres:postgresql://martlet:secret@db/lake",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(catalogue: str) -> None:
    with pytest.raises(BadInputError, match="holds a password") as refused:
        load_settings(
            {"MARTLET_TARGET": "ducklake", "MARTLET_LAKE_CATALOGUE": catalogue}, REPOSITORY
        )

    assert "secret" not in str(refused.value)


def test_keys_are_not_shown_with_the_settings() -> None:
    settings = load_settings(
        {
            "MARTLET_TARGET": "ducklake",
            "MARTLET_LAKE_CATALOGUE": POSTGRES,
            "MARTLET_LAKE_DATA": "s3://lake/martlet",
            "MARTLET_S3_ENDPOINT": "http://127.0.0.1:8333/",
            "AWS_ACCESS_KEY_ID": "the key",
            "AWS_SECRET_ACCESS_KEY": "the secret",
            "AWS_SESSION_TOKEN": "the token",
        },
        REPOSITORY,
    )

    assert settings.lake is not None
    assert settings.lake.is_remote
    assert settings.lake.postgres == "host=db.example dbname=lake user=martlet"
    assert (settings.lake.store.endpoint, settings.lake.store.use_tls) == ("127.0.0.1:8333", False)
    assert settings.lake.store.secret == "the secret"
    assert not any(word in repr(settings) for word in ("the key", "the secret", "the token"))


def test_a_lake_of_which_nothing_is_said_lies_in_the_home(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project", {})
    settings = load_settings({"MARTLET_TARGET": "ducklake"}, project.folder)

    assert settings.lake is not None
    assert settings.lake.postgres is None
    assert Path(settings.lake.catalogue) == settings.home / "lake.ducklake"
    assert Path(settings.lake.data) == settings.home / "lake"


def test_motherduck_without_a_token_is_a_wrong_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOTHERDUCK_TOKEN", raising=False)
    engine = engine_of(load_settings({"MARTLET_TARGET": "motherduck"}, REPOSITORY))

    with pytest.raises(BadInputError, match="wants a token"), engine.open_warehouse():
        pass
