"""How long a file may get before it is several files."""

from pathlib import Path

import pytest

from tests.project import REPOSITORY

LIMITS = {
    "python": (500, ("src", "tests", "scripts"), "*.py"),
    "macros": (200, ("macros",), "*.sql"),
    "models": (120, ("models", "data-tests"), "*.sql"),
}


@pytest.mark.parametrize("kind", LIMITS)
def test_no_file_is_longer_than_its_kind_may_be(kind: str) -> None:
    limit, folders, pattern = LIMITS[kind]

    lengths = {
        str(path.relative_to(REPOSITORY)): _lines(path)
        for folder in folders
        for path in (REPOSITORY / folder).rglob(pattern)
    }

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > limit} == {}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
