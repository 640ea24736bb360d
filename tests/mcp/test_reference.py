"""The page of MCP names the tools, resources, prompts and variables that there are."""

import json
import re

from martlet.mcp import settings
from martlet.mcp.answers import MAX_BYTES
from martlet.mcp.arguments import DEFAULT_ROWS, MAX_ROWS, MAX_VALUES
from martlet.mcp.prompts import RECIPES
from martlet.mcp.resources import SCHEMA_HISTORY, TEMPLATES
from martlet.mcp.tools import TOOLS
from tests.architecture.test_reference import documented, section
from tests.project import REPOSITORY

COOKBOOK = REPOSITORY / "docs" / "cookbooks" / "connect_an_agent.md"


def test_every_tool_is_described_with_its_scope() -> None:
    assert documented(section("mcp.md", "Tools")) == {tool.name: tool.scope for tool in TOOLS}


def test_the_limits_are_those_of_the_program() -> None:
    told = section("mcp.md", "Tools")

    assert f"`limit` is {DEFAULT_ROWS} unless stated, at most {MAX_ROWS:,}" in told
    assert f"of `search_values` at most {MAX_VALUES}" in told
    assert f"at most {MAX_BYTES // 1024} KiB" in section("mcp.md", "Answers")


def test_every_resource_prompt_and_variable_is_described() -> None:
    prompts = section("mcp.md", "Prompts")
    variables = {settings.PUBLIC_URL, settings.ALLOWED_HOSTS, settings.ALLOWED_ORIGINS}

    resources = documented(section("mcp.md", "Resources"))
    assert set(resources) == {SCHEMA_HISTORY, *(each.uri_template for each in TEMPLATES)}
    for name, recipe in RECIPES.items():
        arguments = ", ".join(f"`{each.name}`" for each in recipe.listed.arguments or ())
        assert f"| `{name}` | {arguments} |" in prompts
    assert set(documented(section("mcp.md", "Names and addresses"))) == variables


def test_what_the_cookbook_shows_can_be_read() -> None:
    text = COOKBOOK.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(json|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    assert [kind for kind, _ in blocks] == ["json", "json", "python", "json"]
    for kind, block in blocks:
        if kind == "json":
            json.loads(block)
        else:
            compile(block, str(COOKBOOK), "exec")
