"""A little of `make torture`, always the same: what it does for long is in tests/torture."""

from pathlib import Path

from tests.api.published import install
from tests.mcp.served import running
from tests.torture import fuzz
from tests.torture.projects import small_project


def test_a_file_that_nobody_thought_of_lands_or_is_refused_and_nothing_half_of_it(
    tmp_path: Path,
) -> None:
    report = fuzz.Report()

    fuzz.files(tmp_path, small_project(tmp_path / "project"), report, chance=5, cases=40)

    assert not report.found
    assert report.outcomes["read"] > 5
    assert report.outcomes["refused"] > 5


def test_an_mcp_message_that_nobody_thought_of_is_answered(tmp_path: Path) -> None:
    installed, report = install(tmp_path), fuzz.Report()

    with running(installed.settings) as url:
        fuzz.messages(url, installed.key(), report, chance=5, cases=60)

    assert not report.found
    assert report.outcomes["MCP 200"] > 5
