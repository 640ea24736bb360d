"""What no file of the project may hold, and links that lead nowhere."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.project import REPOSITORY

# Spelled so that this file does not hold what it looks for.
_PLACE = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:[w]ork|[r]oot|[f]arm|[h]ome|[U]sers|[t]mp/[a-z])\b")
_REGISTRY = re.compile(
    r"https?://[a-z0-9.-]*(?:pypi[.]org|pythonhosted[.]org|npmjs[.]org|registry[.])"
)
_MARK = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    """Return the files of the project: those of git, and those that are not ignored yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this copy of the project is no git checkout, so its own files are not known")
    paths = (REPOSITORY / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def pages() -> list[Path]:
    return sorted(
        [
            *REPOSITORY.glob("*.md"),
            *(REPOSITORY / "docs").rglob("*.md"),
            *(REPOSITORY / "src").rglob("*.md"),
        ]
    )


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [
            f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def test_no_file_names_a_place_on_one_machine() -> None:
    assert not lines_with(_PLACE)


def test_no_file_names_a_package_registry() -> None:
    assert not lines_with(_REGISTRY)


def test_nothing_is_left_to_be_done() -> None:
    assert not lines_with(_MARK)


def test_the_lock_has_hashes_for_every_package_and_no_address() -> None:
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    requirements = re.findall(r"^[A-Za-z0-9][^\n]*(?:\n[ \t]+[^\n]*)*", lock, re.MULTILINE)

    assert len(requirements) > 20
    assert "://" not in lock
    assert "--index-url" not in lock
    for requirement in requirements:
        assert "==" in requirement, requirement.splitlines()[0]
        assert "--hash=sha256:" in requirement, requirement.splitlines()[0]


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target in _LINK.findall(text) if "://" not in target]

    missing = [target for target in targets if not (page.parent / target).exists()]

    assert not missing


def test_every_page_that_an_error_names_exists() -> None:
    named = {
        name
        for path in (REPOSITORY / "src").rglob("*.py")
        for name in re.findall(r"docs/[\w/]+\.md", path.read_text(encoding="utf-8"))
    }

    assert named
    assert [name for name in sorted(named) if not (REPOSITORY / name).is_file()] == []
