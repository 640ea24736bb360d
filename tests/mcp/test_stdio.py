"""A desktop client starts the server itself; its standard output holds nothing but the protocol."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from martlet.access.keys import KeyStore
from mcp import Client, StdioServerParameters
from tests.api.published import OWN, Installation
from tests.mcp.served import BEFORE, MODES, NEWEST, Agent
from tests.mcp.test_tools import SPEND, TOOLS
from tests.project import REPOSITORY

T = TypeVar("T")


def environment(installation: Installation, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARTLET_")}
    return kept | {"MARTLET_HOME": str(installation.settings.home)} | more


def converse(
    installation: Installation, key: str, protocol: str, work: Callable[[Client], Awaitable[T]]
) -> T:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "martlet", "mcp", "--stdio"],
        env=environment(installation, MARTLET_KEY=key),
        cwd=REPOSITORY,
    )

    async def connected() -> T:
        async with Client(server, mode=MODES[protocol], read_timeout_seconds=60) as one:
            assert one.protocol_version == protocol
            return await work(one)

    return asyncio.run(connected())


@pytest.mark.parametrize("protocol", [NEWEST, BEFORE])
def test_a_client_that_starts_the_server_gets_the_same_answers(
    installation: Installation, address: str, protocol: str
) -> None:
    key = installation.key(OWN)

    async def work(one: Client) -> tuple[list[str], Any, Any, Any]:
        tools = [tool.name for tool in (await one.list_tools()).tools]
        answer = await one.call_tool("query_metrics", SPEND)
        refused = await one.call_tool("query_metrics", SPEND | {"measures": ["spent"]})
        with KeyStore(installation.settings.control) as keys:
            keys.revoke(keys.find(key).id)
        return tools, answer, refused, await one.call_tool("list_models", {})

    tools, answer, refused, after = converse(installation, key, protocol, work)

    expected = Agent(address, installation.key(OWN)).call("query_metrics", **SPEND)
    assert tools == TOOLS
    assert answer.structured_content["rows"] == expected["rows"]
    assert answer.structured_content["data_version"] == expected["data_version"]
    assert answer.structured_content["open_url"].startswith("http://127.0.0.1:8000/ui/")
    assert "did you mean 'spend'?" in refused.content[0].text
    assert after.is_error
    assert after.meta["code"] == "unauthorized"


@pytest.mark.parametrize(
    ("arguments", "key", "expected"),
    [
        (["--stdio"], None, "martlet keys create"),
        (["--stdio"], "mk_0123456789ab_wrong", "the key is not known"),
        (["--stdio"], "expired", "the key has expired"),
        ([], "good", "--stdio"),
    ],
)
def test_without_what_it_needs_the_command_ends_with_the_remedy(
    installation: Installation, arguments: list[str], key: str | None, expected: str
) -> None:
    keys = {
        "expired": lambda: installation.key(OWN, lifetime=timedelta(microseconds=1)),
        "good": lambda: installation.key(OWN),
    }
    text = keys[key]() if key in keys else key
    done = subprocess.run(
        [sys.executable, "-m", "martlet", "mcp", *arguments],
        env=environment(installation, **({"MARTLET_KEY": text} if text else {})),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert expected in done.stderr
    assert not text or text not in done.stderr


def test_standard_output_holds_the_protocol_and_the_log_is_elsewhere(
    installation: Installation,
) -> None:
    key = installation.key(OWN)
    messages = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": BEFORE,
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "get_freshness", "arguments": {}},
        },
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "martlet", "mcp", "--stdio", "--key", key, "--log-level", "info"],
        env=environment(installation),
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write("".join(f"{json.dumps(each)}\n" for each in messages))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        rest, log = process.stdout.read(), process.stderr.read()
        assert process.wait(timeout=30) == 0

    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["data_version"]
    assert rest == ""
    assert '"operation":"get_freshness"' in log
    assert key not in log
