"""Alerts, received by a real HTTP server: what arrives, for whom, how often, and what never leaks."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from martlet.alerts import send
from martlet.alerts.memory import Entry, finding_key
from martlet.alerts.message import MAX_LENGTH, compose
from martlet.alerts.send import memory_file, send_alerts
from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants
from martlet.pipeline.findings import Finding
from martlet.settings import Settings
from tests.project import REPOSITORY, Project, new_project

SECRET = "s3cret-token"
QUARANTINE = Finding(
    "quarantine", "acme", "acme_shopify__orders", "cannot route it", "martlet registry approve"
)
AUDIT = Finding("audit", "acme", "acme_shopify__orders", "load 7 lost 3 rows", "martlet audit")
OTHER = Finding("quarantine", "globex", "globex_shopify__orders", "cannot route it either")
STALE = Finding("stale", "acme", "shopify orders", "no load for 26 hours")
DRIFT = Finding("drift", "acme", "acme_shopify__orders", "a column was added", is_event=True)


@dataclass
class Receiver:
    """What a local HTTP server received; it answers with `status`."""

    port: int = 0
    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def url(self, name: str = "ops") -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.port}/{name}-{SECRET}"

    def messages(self, name: str = "ops") -> list[str]:
        """Return the texts that one channel got."""
        return [
            body["message"]
            for path, body in zip(self.paths, self.bodies, strict=True)
            if path.startswith(f"/{name}-")
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if received.status < 300:
                received.bodies.append(body)
                received.paths.append(self.path)
            self.send_response(received.status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(REPOSITORY / "supported_connectors.yaml")


@dataclass
class Runs:
    """Calls `send_alerts` as runs would: each looks at all tenants and finds what it is given."""

    settings: Settings
    tenants: TenantsFile
    environ: dict[str, str]

    def run(self, *findings: Finding, **more: Any) -> list[str]:
        looked_at = more.pop("looked_at", ("acme", "globex"))
        return send_alerts(
            self.settings, self.tenants, findings, looked_at=looked_at, environ=self.environ, **more
        )


def channel(name: str, **more: Any) -> dict[str, Any]:
    return {"channel": name, "url_env": f"MARTLET_ALERT_URL_{name.upper()}", **more}


def configured(
    folder: Path,
    catalogue: Catalogue,
    *operators: dict[str, Any],
    acme: list[dict[str, Any]] | None = None,
) -> TenantsFile:
    base = {"reporting_timezone": "UTC", "currency": "EUR", "sources": {"shopify": {}}}
    document = {
        "version": 1,
        "alerts": list(operators),
        "tenants": {
            "acme": {"name": "Acme", **base, "alerts": acme or []},
            "globex": {"name": "Globex", **base},
        },
    }
    path = folder / "tenants.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_tenants(path, catalogue)


@pytest.fixture
def runs(tmp_path: Path, catalogue: Catalogue, receiver: Receiver) -> Runs:
    """One operators' channel and one of the tenant acme, both on the receiver."""
    tenants = configured(tmp_path, catalogue, channel("ops"), acme=[channel("team")])
    environ = {
        "MARTLET_ALERT_URL_OPS": receiver.url("ops"),
        "MARTLET_ALERT_URL_TEAM": receiver.url("team"),
    }
    return Runs(Settings(tmp_path, tmp_path / "data", tmp_path / "tenants.yaml"), tenants, environ)


def test_a_finding_arrives_once_per_channel_with_its_remedy_grouped_by_tenant(
    runs: Runs, receiver: Receiver
) -> None:
    warnings = runs.run(QUARANTINE, OTHER, AUDIT)

    assert warnings == []
    (message,) = receiver.messages("ops")
    assert message == (
        "acme\n"
        "  audit: acme_shopify__orders\n"
        "    load 7 lost 3 rows\n"
        "    remedy: martlet audit\n"
        "  quarantine: acme_shopify__orders\n"
        "    cannot route it\n"
        "    remedy: martlet registry approve\n"
        "\n"
        "globex\n"
        "  quarantine: globex_shopify__orders\n"
        "    cannot route it either"
    )
    assert receiver.bodies[0]["title"] == "Martlet: 3 findings for 2 tenants"
    assert receiver.bodies[0]["type"] == "failure"


def test_a_tenants_channel_gets_nothing_of_another_tenant(runs: Runs, receiver: Receiver) -> None:
    runs.run(QUARANTINE, OTHER)
    runs.run()

    told = receiver.messages("team")
    assert len(told) == 2
    assert "globex" not in json.dumps(
        [b for p, b in zip(receiver.paths, receiver.bodies, strict=True) if p.startswith("/team")]
    )
    assert all("globex" in message for message in receiver.messages("ops"))


def test_a_tenant_without_findings_gets_no_message(runs: Runs, receiver: Receiver) -> None:
    runs.run(OTHER)

    assert receiver.messages("team") == []
    assert len(receiver.messages("ops")) == 1


def test_what_is_still_there_is_not_told_again_and_what_is_gone_is_told_once(
    runs: Runs, receiver: Receiver
) -> None:
    runs.run(QUARANTINE)
    runs.run(QUARANTINE)
    assert len(receiver.messages()) == 1

    runs.run()
    runs.run()

    assert receiver.messages()[1:] == ["acme\n  resolved: quarantine: acme_shopify__orders"]
    assert receiver.bodies[-1]["title"] == "Martlet: 1 resolved for acme"


def test_what_was_gone_for_a_run_is_told_again(runs: Runs, receiver: Receiver) -> None:
    for findings in ([QUARANTINE], [], [QUARANTINE]):
        runs.run(*findings)

    assert [("cannot route it" in message) for message in receiver.messages()] == [
        True,
        False,
        True,
    ]


def test_another_wording_about_the_same_subject_is_told_and_resolves_nothing(
    runs: Runs, receiver: Receiver
) -> None:
    runs.run(QUARANTINE)
    runs.run(replace(QUARANTINE, message="two columns are missing now"))

    assert len(receiver.messages()) == 2
    assert "two columns are missing now" in receiver.messages()[1]
    assert "resolved" not in receiver.messages()[1]


def test_a_source_that_stays_stale_is_told_of_once_however_its_age_grows(
    runs: Runs, receiver: Receiver
) -> None:
    runs.run(STALE)
    runs.run(replace(STALE, message="no load for 50 hours"))

    assert len(receiver.messages()) == 1


def test_a_drift_is_an_event_and_never_resolved(runs: Runs, receiver: Receiver) -> None:
    runs.run(DRIFT)
    runs.run()

    assert len(receiver.messages()) == 1


def test_a_run_of_one_tenant_resolves_nothing_of_another(runs: Runs, receiver: Receiver) -> None:
    runs.run(QUARANTINE, OTHER)

    runs.run(looked_at=["acme"])

    assert receiver.messages()[1:] == ["acme\n  resolved: quarantine: acme_shopify__orders"]
    runs.run(OTHER)
    assert len(receiver.messages()) == 2


def test_a_command_resolves_only_what_it_looks_for(runs: Runs, receiver: Receiver) -> None:
    runs.run(STALE, source="audit")
    runs.run()
    assert len(receiver.messages()) == 1

    runs.run(source="audit")

    assert "resolved: stale" in receiver.messages()[1]


def test_a_channel_that_fails_is_a_warning_and_gets_everything_with_the_next_run(
    runs: Runs, receiver: Receiver
) -> None:
    receiver.status = 500
    warnings = runs.run(QUARANTINE, DRIFT)
    assert [warning.splitlines()[0] for warning in warnings] == [
        "alerts: channel ops: the service answered with HTTP status 500; the next run tries again",
        "alerts: channel acme/team: the service answered with HTTP status 500; "
        "the next run tries again",
    ]
    assert "martlet alerts test ops" in warnings[0]

    receiver.status = 200
    assert runs.run() == []

    (message,) = receiver.messages()
    assert "quarantine: acme_shopify__orders (gone since)" in message
    assert "drift: acme_shopify__orders\n    a column was added" in message
    runs.run()
    assert len(receiver.messages()) == 1


def test_one_failing_channel_does_not_keep_another_from_its_message(
    runs: Runs, receiver: Receiver
) -> None:
    runs.environ["MARTLET_ALERT_URL_OPS"] = f"json://127.0.0.1:1/{SECRET}"

    warnings = runs.run(QUARANTINE)

    assert len(warnings) == 1
    assert "the service cannot be reached" in warnings[0]
    assert len(receiver.messages("team")) == 1


def test_a_kill_between_sending_and_remembering_sends_again_and_loses_nothing(
    runs: Runs, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(send.ChannelMemory, "mark_told", kill)
        with pytest.raises(Killed):
            runs.run(DRIFT)
    runs.run()

    assert len(receiver.messages("ops")) == 2
    assert len(receiver.messages("team")) == 1
    runs.run()
    assert len(receiver.messages("ops")) == 2


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "the environment variable MARTLET_ALERT_URL_OPS is not set"),
        ("  ", "the environment variable MARTLET_ALERT_URL_OPS is not set"),
        (f"nonsense-{SECRET}", "does not hold a URL that Apprise understands"),
        (f"slack://{SECRET}", "does not hold a URL that Apprise understands"),
        (f"json://127.0.0.1:1/{SECRET}", "the service cannot be reached"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained_and_shown_nowhere(
    runs: Runs,
    url: str | None,
    reason: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if url is None:
        del runs.environ["MARTLET_ALERT_URL_OPS"]
    else:
        runs.environ["MARTLET_ALERT_URL_OPS"] = url

    with caplog.at_level(logging.DEBUG):
        warnings = runs.run(OTHER)

    assert len(warnings) == 1
    assert reason in warnings[0]
    assert SECRET not in f"{warnings} {capfd.readouterr()} {caplog.text}"
    assert SECRET not in memory_file(runs.settings).read_text()


def test_a_message_that_is_taken_leaves_no_secret_in_any_log(
    runs: Runs, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        runs.run(QUARANTINE)

    assert len(receiver.messages()) == 1
    assert SECRET not in caplog.text
    assert "127.0.0.1" not in caplog.text


def test_a_channel_gets_only_the_kinds_that_it_wants(
    runs: Runs, receiver: Receiver, tmp_path: Path, catalogue: Catalogue
) -> None:
    runs.tenants = configured(tmp_path, catalogue, channel("ops", kinds=["audit", "failure"]))

    runs.run(QUARANTINE, AUDIT)

    (message,) = receiver.messages()
    assert "audit" in message
    assert "quarantine" not in message


def test_a_daily_digest_sends_one_message_a_day_with_all_that_was_found_meanwhile(
    runs: Runs, receiver: Receiver, tmp_path: Path, catalogue: Catalogue
) -> None:
    runs.tenants = configured(tmp_path, catalogue, channel("ops", digest="daily"))
    morning, evening = (datetime(2026, 7, 1, hour, tzinfo=UTC) for hour in (3, 21))

    runs.run(QUARANTINE, now=morning)
    runs.run(QUARANTINE, DRIFT, now=evening)
    assert len(receiver.messages()) == 1
    runs.run(QUARANTINE, now=datetime(2026, 7, 2, 3, tzinfo=UTC))

    assert len(receiver.messages()) == 2
    assert receiver.messages()[1].startswith("acme\n  drift")


def test_what_does_not_fit_goes_with_the_next_run_and_nothing_twice(
    runs: Runs, receiver: Receiver
) -> None:
    many = [replace(QUARANTINE, subject=f"table_{n:04}", message="x" * 400) for n in range(120)]

    for _ in range(5):
        runs.run(*many)

    messages = receiver.messages()
    assert all(len(message) <= MAX_LENGTH for message in messages)
    assert "more findings with the next run" in messages[0]
    assert "more finding" not in messages[-1]
    told = [line for message in messages for line in message.splitlines() if "table_" in line]
    assert sorted(told) == [f"  quarantine: table_{n:04}" for n in range(120)]


def test_a_service_for_short_texts_still_gets_one_finding_at_a_time() -> None:
    entries = [Entry(replace(AUDIT, subject=f"t{n}"), "waiting", ["run"], f"{n}") for n in range(3)]

    message = compose(entries, [], max_length=60)

    assert len(message.body) <= 60
    assert message.keys == {finding_key(entries[0].finding)}


def test_a_landed_name_cannot_bring_control_characters_into_a_message(
    runs: Runs, receiver: Receiver
) -> None:
    runs.run(replace(QUARANTINE, subject="a\x1b[2Jb\rc", message="bad \x00 column"))

    assert "a[2Jbc" in receiver.messages()[0]
    assert "bad  column" in receiver.messages()[0]


def test_a_broken_memory_is_a_warning_and_is_not_overwritten(runs: Runs) -> None:
    path = memory_file(runs.settings)
    path.parent.mkdir()
    path.write_text("{")

    (warning,) = runs.run(QUARANTINE)

    assert str(path) in warning
    assert "delete it" in warning
    assert path.read_text() == "{"


def test_without_channels_nothing_is_written(
    runs: Runs, tmp_path: Path, catalogue: Catalogue
) -> None:
    runs.tenants = configured(tmp_path, catalogue)

    assert runs.run(QUARANTINE) == []
    assert not memory_file(runs.settings).exists()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a channel for operators and nothing landed."""
    project = new_project(tmp_path / "project")
    project.configure(
        {
            "acme": {
                "name": "Acme",
                "reporting_timezone": "UTC",
                "currency": "EUR",
                "sources": {"shopify": {}},
            }
        },
        alerts=[channel("ops")],
    )
    return project


def test_the_commands_list_and_test_channels_without_showing_a_url(
    project: Project, receiver: Receiver
) -> None:
    unset = project.martlet("alerts", "test", "ops", check=False)
    assert unset.code == 2
    assert "MARTLET_ALERT_URL_OPS is not set" in unset.stderr

    variables = {"MARTLET_ALERT_URL_OPS": receiver.url()}
    listed = project.martlet("alerts", "list", "--json", variables=variables)
    (row,) = listed.document["channels"]
    tested = project.martlet("alerts", "test", "ops", variables=variables)
    receiver.status = 503
    refused = project.martlet("alerts", "test", "ops", check=False, variables=variables)
    unknown = project.martlet("alerts", "test", "opps", check=False, variables=variables)

    assert (row["channel"], row["tenants"], row["usable"]) == ("ops", "all", True)
    assert receiver.messages() == ["This is a test of the channel ops. Nothing happened."]
    assert (refused.code, unknown.code) == (1, 2)
    assert "HTTP status 503" in refused.stderr
    assert "did you mean 'ops'?" in unknown.stderr
    for result in (listed, tested, refused, unknown):
        assert SECRET not in result.stdout + result.stderr


def test_a_run_tells_its_channels_and_stays_green_when_they_fail(
    project: Project, receiver: Receiver
) -> None:
    variables = {"MARTLET_ALERT_URL_OPS": receiver.url()}
    receiver.status = 500
    failed = project.martlet("run", "--json", variables=variables)
    receiver.status = 200
    project.martlet("run", "--json", variables=variables)

    assert "HTTP status 500" in failed.stderr
    assert SECRET not in failed.stdout + failed.stderr
    (message,) = receiver.messages()
    assert "acme\n  not_landed: acme_shopify__orders" in message
    assert "remedy: martlet land acme --platform shopify" in message
