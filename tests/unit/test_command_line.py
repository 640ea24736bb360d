"""What the command line makes of errors that nobody raised on purpose."""

import sys
from pathlib import Path

import pytest

from martlet.cli import main
from tests.project import REPOSITORY

TENANTS = """\
version: 1
tenants:
  acme:
    name: Acme
    reporting_timezone: UTC
    currency: EUR
    sources: {shopify: {}}
"""


def test_what_the_system_refuses_is_told_in_words_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tenants.yaml").write_text(TENANTS)
    for name in ("dbt_project.yml", "supported_connectors.yaml"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "orders.jsonl").write_text('{"id": 1}\n')
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "locks").write_text("a file where a folder must be")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MARTLET_HOME", raising=False)
    arguments = "land acme --file orders.jsonl --platform shopify --object orders"
    monkeypatch.setattr(sys, "argv", ["martlet", *arguments.split()])

    with pytest.raises(SystemExit) as ended:
        main()

    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.startswith("error: a step failed: ")
    assert "locks" in told
    assert "remedy: see that the disk has room and MARTLET_HOME can be written" in told
