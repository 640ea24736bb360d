"""docs/follow_a_record.md does what it says: its blocks are run, its outputs compared."""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.project import REPOSITORY, new_project

PAGE = REPOSITORY / "docs" / "follow_a_record.md"
_FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXECUTED = {"console", "python", "sql"}


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the file that it is or quotes, its text and its line."""

    language: str
    file: str
    text: str
    line: int

    @property
    def is_question(self) -> bool:
        return self.language in _EXECUTED and not self.file


@dataclass(frozen=True)
class Step:
    """One thing that a reader types and what the page says they see."""

    line: int
    language: str
    typed: str
    expected: str


def blocks() -> list[Block]:
    page = PAGE.read_text(encoding="utf-8")
    return [
        Block(m[1], m[2], m[3], page.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(page)
    ]


def steps() -> list[Step]:
    found: list[Step] = []
    for block in blocks():
        if block.language == "console":
            found += _commands(block)
        elif block.is_question:
            found.append(Step(block.line, block.language, block.text, ""))
        elif block.language == "text":
            found[-1] = replace(found[-1], expected=block.text)
    return found


def _commands(block: Block) -> Iterator[Step]:
    for command in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
        line = block.line + 1 + block.text.count("\n", 0, command.start())
        yield Step(line, block.language, command[1], command[2])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Return what each step printed, by its line, in a project that holds only the page's files."""
    project = new_project(tmp_path_factory.mktemp("follow_a_record") / "project")
    (project.folder / "scripts").symlink_to(REPOSITORY / "scripts")
    for block in blocks():
        if block.file and block.language in {"yaml", "json"}:
            before = "version: 1\ntenants:\n" if block.language == "yaml" else ""
            (project.folder / block.file).write_text(before + block.text)
    session: dict[str, Any] = {}
    with contextlib.chdir(project.folder):
        return {step.line: _printed(step, session, project.folder) for step in steps()}


def _printed(step: Step, session: dict[str, Any], folder: Path) -> str:
    if step.language == "console":
        return _shell(step.typed, folder)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        if step.language == "sql":
            session["ask"](step.typed)
        else:
            exec(step.typed, session)
    return shown.getvalue()


def _shell(command: str, folder: Path) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("step", steps(), ids=lambda step: f"line {step.line}")
def test_what_the_page_shows_is_what_a_reader_sees(seen: dict[int, str], step: Step) -> None:
    """`...` in the page stands for whatever differs from run to run."""
    got = seen[step.line]

    matches = doctest.OutputChecker().check_output(
        step.expected, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )

    assert matches, f"{PAGE.name}, line {step.line}: {step.typed}\nnow prints\n{got}"


@pytest.mark.parametrize(
    "block",
    [b for b in blocks() if b.file and b.language == "sql"],
    ids=lambda block: block.file,
)
def test_the_quoted_code_is_in_the_file_that_is_named(block: Block) -> None:
    assert block.text in (REPOSITORY / block.file).read_text(encoding="utf-8")


def test_the_page_shows_every_layer() -> None:
    shown = PAGE.read_text(encoding="utf-8")

    for layer in ("landing.", "platform.", "staging.", "intermediate.", "analytics.", "ops."):
        assert f"from {layer}" in shown, layer
