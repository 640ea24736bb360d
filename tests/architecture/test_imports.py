"""Which part of the package may know which: imports point one way, and files open in one place."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.project import REPOSITORY

SOURCE = REPOSITORY / "src"
PACKAGE = SOURCE / "martlet"

# A unit is a package or a module at the top; the fingerprint is one of its own, because contracts
# publish fingerprints while the rest of the registry reads contracts. dbt loads `engines.dbt_plugin`;
# tenants.yaml is checked against the standard measures.
OWN_UNITS = {
    "registry.fingerprint",
    "engines.dbt_plugin",
    "engines.kept_open",
    "engines.sql_functions",
    "semantic.standard",
}
MAY_IMPORT = {
    "errors": set(),
    "naming": set(),
    "star_schema": {"naming"},
    "settings": {"errors"},
    "registry.fingerprint": {"errors"},
    "contracts": {"errors", "registry.fingerprint"},
    "semantic.standard": {"star_schema"},
    "config": {"errors", "naming", "semantic.standard"},
    "engines": {"errors", "settings"},
    "engines.sql_functions": {"config", "registry.fingerprint", "settings"},
    "engines.kept_open": {"engines", "engines.sql_functions"},
    "engines.dbt_plugin": {
        "config",
        "engines",
        "engines.sql_functions",
        "registry",
        "settings",
    },
    "registry": {"config", "contracts", "errors", "naming", "registry.fingerprint"},
    "scaffold": {
        "config",
        "contracts",
        "errors",
        "naming",
        "registry.fingerprint",
        "settings",
        "star_schema",
    },
    "suppression": {"contracts", "errors", "settings"},
    "custody": {
        "access",
        "alerts",
        "audit",
        "config",
        "contracts",
        "engines",
        "errors",
        "landing",
        "marts",
        "naming",
        "pipeline",
        "registry",
        "registry.fingerprint",
        "settings",
        "suppression",
    },
    "landing": {
        "config",
        "contracts",
        "engines",
        "errors",
        "naming",
        "registry.fingerprint",
        "settings",
        "suppression",
    },
    "access": {"errors", "naming", "settings"},
    "marts": {"config", "engines", "errors", "naming", "settings", "star_schema"},
    "semantic": {
        "config",
        "engines",
        "errors",
        "marts",
        "naming",
        "semantic.standard",
        "settings",
        "star_schema",
    },
    "api": {"access", "errors", "marts", "naming", "semantic", "settings"},
    "mcp": {"access", "api", "errors", "marts", "naming", "semantic", "settings", "web"},
    "web": {"access", "api", "errors", "marts", "naming", "semantic", "settings", "star_schema"},
    "pipeline": {
        "config",
        "contracts",
        "engines",
        "engines.kept_open",
        "errors",
        "landing",
        "marts",
        "naming",
        "registry",
        "registry.fingerprint",
        "scaffold",
        "semantic",
        "settings",
        "star_schema",
    },
    "alerts": {"config", "errors", "pipeline", "settings"},
    "audit": {
        "config",
        "contracts",
        "engines",
        "errors",
        "landing",
        "naming",
        "pipeline",
        "registry",
        "registry.fingerprint",
        "settings",
    },
    "terminal": {"config", "errors", "landing", "pipeline", "scaffold"},
    "cli": {
        "access",
        "alerts",
        "api",
        "audit",
        "config",
        "contracts",
        "custody",
        "engines",
        "errors",
        "landing",
        "marts",
        "mcp",
        "naming",
        "pipeline",
        "registry",
        "scaffold",
        "semantic",
        "settings",
        "terminal",
        "web",
    },
    "__main__": {"cli"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_every_part_imports_only_what_lies_below_it() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    where: dict[tuple[str, str], str] = {}
    for path in modules():
        unit = _unit(_dotted(path))
        for name in _imported(path):
            other = _unit(name)
            if other and other != unit:
                found[unit].add(other)
                where[unit, other] = str(path.relative_to(REPOSITORY))

    wrong = {
        f"{unit} -> {other} ({where[unit, other]})"
        for unit, others in found.items()
        for other in others - MAY_IMPORT.get(unit, set())
    }

    assert not wrong


def test_the_allowed_imports_make_no_circle() -> None:
    order = list(TopologicalSorter(MAY_IMPORT).static_order())

    assert order[-1] == "__main__"


def test_every_part_is_in_the_table() -> None:
    units = {_unit(_dotted(path)) for path in modules()} - {""}

    assert units <= set(MAY_IMPORT)


def test_nothing_imports_the_command_line_but_its_entry_point() -> None:
    importers = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if _unit(_dotted(path)) != "cli" and any(_unit(name) == "cli" for name in _imported(path))
    }

    assert importers == {"__main__.py"}


@pytest.mark.parametrize("folder", [PACKAGE, REPOSITORY / "scripts"], ids=["martlet", "scripts"])
def test_only_the_engines_open_database_files(folder: Path) -> None:
    opened = [
        f"{path.relative_to(REPOSITORY)}:{call.lineno}"
        for path in sorted(folder.rglob("*.py"))
        if path.parent != PACKAGE / "engines"
        for call in _calls_of_duckdb_connect(path)
        if not _is_in_memory(call)
    ]

    assert not opened


def test_scripts_are_their_arguments_and_one_call() -> None:
    for path in (REPOSITORY / "scripts").glob("*.py"):
        imported = set(_imported(path))

        assert imported == {"martlet.cli"}, path.name


def _dotted(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _unit(module: str) -> str:
    """Return the unit of a dotted module; empty for the package itself and what is not ours."""
    top, _, inner = module.partition(".")
    if top != "martlet" or not inner:
        return ""
    for own in OWN_UNITS:
        if inner == own or inner.startswith(f"{own}."):
            return own
    return inner.partition(".")[0]


def _imported(path: Path) -> Iterator[str]:
    """Give our own modules that a file imports anywhere in it, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] == "martlet")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            if node.module == "martlet":
                yield from (f"martlet.{alias.name}" for alias in node.names)
            elif node.module and node.module.startswith("martlet."):
                yield node.module


def _calls_of_duckdb_connect(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "duckdb.connect":
            yield node


def _is_in_memory(call: ast.Call) -> bool:
    named = [argument for argument in call.args if isinstance(argument, ast.Constant)]
    return not call.args or (len(named) == 1 and named[0].value == ":memory:")
