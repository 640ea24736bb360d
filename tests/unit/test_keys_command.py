"""`martlet keys`: what it prints, what it refuses, and that a key is shown once."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from martlet.access.keys import KeyStore
from martlet.cli import app
from martlet.errors import BadInputError
from tests.project import Project, new_project

TENANT = {
    "name": "Acme",
    "reporting_timezone": "UTC",
    "currency": "EUR",
    "sources": {"shopify": {}},
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = new_project(tmp_path / "project")
    project.configure({"acme": TENANT, "globex": TENANT, "broken": {"name": "Broken"}})
    for variable in ("MARTLET_PROJECT", "MARTLET_HOME", "MARTLET_TENANTS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(project.folder)
    return project


class Shell:
    """Runs `martlet keys` in this process."""

    def __init__(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        self.control = project.folder / "data" / "control.sqlite"
        self._capsys = capsys

    def say(self, *arguments: str) -> str:
        app(["keys", *arguments], standalone_mode=False)
        return self._capsys.readouterr().out

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.say(*arguments, "--json"))


@pytest.fixture
def shell(project: Project, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(project, capsys)


def test_a_created_key_opens_what_was_asked_for(shell: Shell) -> None:
    made = shell.ask("create", "acme", "--scopes", "query, pii", "--name", "etl")

    key = KeyStore(shell.control).verify(made["key"])
    assert key is not None
    assert set(made) == {"key", "id", "tenant", "scopes", "name", "expires_at"}
    assert made["id"] == key.id
    assert (made["tenant"], made["scopes"], made["name"]) == ("acme", ["pii", "query"], "etl")
    assert made["expires_at"] == f"{key.expires_at:%Y-%m-%dT%H:%M:%SZ}"


def test_a_key_may_query_and_observe_for_a_year_unless_told_otherwise(shell: Shell) -> None:
    default, short = shell.ask("create", "acme"), shell.ask("create", "acme", "--expires-in-days=1")

    def days(made: dict[str, str]) -> timedelta:
        left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
        return timedelta(days=round(left / timedelta(days=1)))

    assert default["scopes"] == ["observability", "query"]
    assert (days(default), days(short)) == (timedelta(days=365), timedelta(days=1))


def test_a_person_sees_the_key_on_a_line_of_its_own_and_never_again(shell: Shell) -> None:
    key, *rest = shell.say("create", "acme").splitlines()

    assert re.fullmatch(r"mk_[0-9a-f]{12}_[\w-]{43}", key)
    assert "shown this once" in " ".join(rest)
    secret = key[len("mk_") + 13 :]
    assert secret not in shell.say("list") + shell.say("list", "--json") + shell.say(
        "revoke", "acme"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "acmee"), "did you mean 'acme'"),
        (("create", "broken"), "reporting_timezone"),
        (("create", "acme", "--scopes", "querry"), "did you mean 'query'"),
        (("create", "acme", "--scopes", " , "), "no scope"),
        (("create", "acme", "--name", "a\nb"), "printable"),
        (("list", "acmee"), "did you mean 'acme'"),
        (("rotate", "acme"), "no key and no tenant with keys"),
        (("revoke", "0123456789ab"), "no key 0123456789ab"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(
    shell: Shell, arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(BadInputError, match=told):
        shell.say(*arguments)

    assert not shell.control.parent.exists()


def test_keys_are_listed_with_their_state(shell: Shell) -> None:
    live = shell.ask("create", "acme", "--name", "[dash]")
    other = shell.ask("create", "globex")
    shell.say("revoke", other["id"])

    listed = shell.ask("list")["keys"]

    assert [(row["id"], row["tenant"], row["status"]) for row in listed] == [
        (live["id"], "acme", "live"),
        (other["id"], "globex", "revoked"),
    ]
    assert [row["id"] for row in shell.ask("list", "globex")["keys"]] == [other["id"]]
    assert {"scopes", "created_at", "expires_at", "last_used_at", "replaced_by"} <= set(listed[0])
    table = shell.say("list")
    assert live["id"] in table
    assert "[dash]" in table


def test_a_tenant_without_keys_has_an_empty_list(shell: Shell) -> None:
    assert shell.ask("list", "acme") == {"keys": []}
    assert shell.ask("list", "broken") == {"keys": []}
    assert "martlet keys create acme" in shell.say("list", "acme")


def test_a_rotated_key_says_what_it_replaces_and_until_when(shell: Shell) -> None:
    old = shell.ask("create", "acme", "--scopes", "query,admin")

    new = shell.ask("rotate", "acme", "--overlap-hours", "0")

    store = KeyStore(shell.control)
    assert new["replaces"]["id"] == old["id"]
    assert new["replaces"]["expires_at"] < new["expires_at"]
    assert (new["scopes"], new["tenant"]) == (old["scopes"], "acme")
    assert store.verify(new["key"])
    assert store.verify(old["key"]) is None


def test_the_old_key_opens_for_a_day_unless_told_otherwise(shell: Shell) -> None:
    old = shell.ask("create", "acme")

    new = shell.ask("rotate", old["id"])

    left = datetime.fromisoformat(new["replaces"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23.9) < left <= timedelta(hours=24)
    with pytest.raises(BadInputError, match="2 live keys"):
        shell.say("revoke", "acme")
    assert KeyStore(shell.control).verify(old["key"])


def test_keys_of_a_tenant_that_is_gone_are_listed_and_revoked(
    shell: Shell, project: Project
) -> None:
    made = shell.ask("create", "acme")
    (project.folder / "tenants.yaml").write_text("tenants: [")

    assert [row["id"] for row in shell.ask("list", "acme")["keys"]] == [made["id"]]
    revoked = shell.ask("revoke", "acme")

    assert (revoked["id"], revoked["status"]) == (made["id"], "revoked")
    assert KeyStore(shell.control).verify(made["key"]) is None


def test_a_leaked_key_is_revoked_by_its_text(shell: Shell) -> None:
    made = shell.ask("create", "acme")

    said = shell.say("revoke", made["key"])

    assert made["id"] in said
    assert made["key"] not in said
    assert KeyStore(shell.control).verify(made["key"]) is None


def test_exit_codes_tell_bad_input_from_a_damaged_file(project: Project) -> None:
    assert project.martlet("keys", "create", "acme", "--scopes", "all", check=False).code == 2
    made = project.martlet("keys", "create", "acme", "--json")
    assert made.stderr == ""
    control = project.folder / "data" / "control.sqlite"
    control.write_bytes(b"no database" * 1000)

    listed = project.martlet("keys", "list", check=False)

    assert listed.code == 1
    assert "control.sqlite" in listed.stderr
    assert "Traceback" not in listed.stderr
