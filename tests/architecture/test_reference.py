"""The reference pages name every command, option, key and column that exists, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from martlet.cli import app
from martlet.config.alerts import AlertChannel
from martlet.config.catalogue import Connector, load_catalogue
from martlet.config.problems import ConfigModel, is_derived
from martlet.config.semantics import ExtraMeasure, MeasureRatio, Semantics
from martlet.config.tenant import Connection, Filter, Generation, Operator, Source, TableLogic
from martlet.config.tenant import Tenant as TenantModel
from martlet.config.tenants import TOP_LEVEL_KEYS, SharedLanding
from martlet.registry.routing import Verdict
from martlet.scaffold.library_files import library_files
from martlet.star_schema import STAR_TABLES
from tests.project import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])

# The section of configuration.md that each model of the configuration is described in.
SECTIONS: dict[str, type[ConfigModel]] = {
    "tenants.SLUG": TenantModel,
    "tenants.SLUG.sources.PLATFORM": Source,
    "...connections.SLUG": Connection,
    "...tables.OBJECT": TableLogic,
    "...filters[]": Filter,
    "tenants.SLUG.semantics": Semantics,
    "...measures.MODEL.NAME": ExtraMeasure,
    "...ratio": MeasureRatio,
    "...generation": Generation,
    "shared_landings[]": SharedLanding,
    "alerts[]": AlertChannel,
    "supported_connectors.yaml": Connector,
}


def section(page: str, title: str) -> str:
    """Return the text below a heading, up to the next heading of any level."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {title!r}"
    return found[1]


def documented(text: str) -> dict[str, str]:
    """Return the keys in the first column of a section's tables, each with the second column."""
    rows = re.findall(r"^\| (`[^|]*`) \|([^|\n]*)\|", text, re.MULTILINE)
    return {key: other.strip() for cell, other in rows for key in re.findall(r"`([^`]+)`", cell)}


def commands() -> dict[str, Any]:
    """Return every command by what a person types; those of a group as `alerts list`."""
    return dict(_commands(typer.main.get_command(app), ""))


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def options(command: Any) -> dict[str, Any]:
    return {
        name: parameter
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--") and name != "--help"
    }


def command_section(name: str) -> str:
    arguments = "".join(
        f" {parameter.name.upper()}" if parameter.required else f" [{parameter.name.upper()}]"
        for parameter in commands()[name].params
        if not parameter.opts[0].startswith("--")
    )
    return section("command_line.md", f"martlet {name}{arguments}")


@pytest.mark.parametrize("name", commands())
def test_every_command_is_described_with_exactly_its_options(name: str) -> None:
    described = documented(command_section(name))

    assert set(described) == set(options(commands()[name]))


@pytest.mark.parametrize("name", commands())
def test_the_defaults_of_options_are_those_of_the_program(name: str) -> None:
    described = documented(command_section(name))

    for option, parameter in options(commands()[name]).items():
        if isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool):
            assert float(described[option]) == float(parameter.default), option


def test_no_command_is_described_that_does_not_exist() -> None:
    text = (REFERENCE / "command_line.md").read_text(encoding="utf-8")

    described = set(re.findall(r"^## martlet ([a-z -]*[a-z])", text, re.MULTILINE))

    assert described == set(commands())


@pytest.mark.parametrize("title", SECTIONS)
def test_every_configuration_key_is_described_and_no_other(title: str) -> None:
    fields = SECTIONS[title].model_fields
    keys = {name for name, field in fields.items() if not is_derived(field)}

    assert set(documented(section("configuration.md", title))) == keys


@pytest.mark.parametrize("title", SECTIONS)
def test_what_is_called_required_is(title: str) -> None:
    described = documented(section("configuration.md", title))

    for name, field in SECTIONS[title].model_fields.items():
        if not is_derived(field) and (SECTIONS[title], name) != (Source, "objects"):
            assert (described[name] == "required") == field.is_required(), name


def test_the_defaults_of_the_simulator_are_described() -> None:
    described = documented(section("configuration.md", "...generation"))

    stated = {name: float(value) for name, value in described.items()}

    assert stated == {name: float(value) for name, value in Generation().model_dump().items()}


def test_the_top_level_keys_and_operators_are_described() -> None:
    filters = section("configuration.md", "...filters[]")

    assert set(documented(section("configuration.md", "tenants.yaml"))) == set(TOP_LEVEL_KEYS)
    assert set(get_args(Operator)) <= set(re.findall(r"`(\w+)`", filters))


def test_every_verdict_and_ledger_column_is_described() -> None:
    verdicts = section("ledger_and_registry.md", "Decisions: `platform.routing_decisions`")
    ledger = section("ledger_and_registry.md", "Loads: `ops.platform_ops__push_ledger`")
    lists = "".join(p.read_text() for p in (REPOSITORY / "macros/utils").glob("append_only*.sql"))
    body = lists.partition("{% macro push_ledger_columns() %}")[2].partition("{% endmacro %}")[0]
    columns = set(re.findall(r"'name': '(\w+)'", body))

    assert set(get_args(Verdict)) <= set(documented(verdicts))
    assert columns == set(documented(ledger))


def test_the_star_schema_page_is_the_star_schema() -> None:
    page = (REFERENCE / "star_schema.md").read_text(encoding="utf-8")
    generated = {
        str(file.path): file.text
        for file in library_files(load_catalogue(REPOSITORY / "supported_connectors.yaml"))
    }

    assert page == generated["docs/reference/star_schema.md"]
    for table in STAR_TABLES:
        described = documented(section("star_schema.md", table.name))
        assert list(described) == [column.name for column in table.columns]


def typed_commands() -> Iterator[tuple[Path, list[str]]]:
    """Give every `martlet ...` of the pages' blocks, with the page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^ *```console\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^ *\$ (.*)$", block, re.MULTILINE):
                for part in re.split(r" && | \| ", line):
                    yield page, part.split(" # ")[0].split()


def test_every_command_that_a_page_tells_to_type_exists() -> None:
    typed = list(typed_commands())
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))

    assert len(typed) > 20
    for page, words in typed:
        where = f"{page.relative_to(REPOSITORY)}: {' '.join(words)}"
        if words[0] == "make":
            assert words[1] in targets, where
        elif words[0] == "martlet":
            name = " ".join(words[1:3]) if " ".join(words[1:3]) in commands() else words[1]
            assert name in commands(), where
            known = options(commands()[name])
            assert {word for word in words if word.startswith("--")} <= set(known), where
        elif words[:2] == ["python", "-c"]:
            compile(" ".join(words[2:]).strip('"'), where, "exec")
        elif words[0] == "python":
            assert (REPOSITORY / words[1]).is_file(), where
