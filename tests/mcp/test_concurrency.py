"""Many agents of several tenants at once: each answer is of the tenant of its key."""

import asyncio
from pathlib import Path

import pytest

from tests.mcp.served import BEFORE, NEWEST, client, install_tenants, running
from tests.mcp.test_tools import SPEND

TENANTS = ["first", "second", "third"]
CLIENTS = 6
CALLS = 20


@pytest.mark.parametrize("protocol", [NEWEST, BEFORE])
def test_each_of_many_answers_is_of_its_own_tenant(tmp_path: Path, protocol: str) -> None:
    installation = install_tenants(tmp_path, TENANTS)
    keys = {tenant: installation.key(tenant) for tenant in TENANTS}

    async def agent(url: str, tenant: str) -> list[tuple[str, float, str]]:
        seen = []
        question = {**SPEND, "dimensions": ["tenant_slug"], "measures": ["spend"]}
        async with client(url, keys[tenant], protocol) as one:
            for _ in range(CALLS):
                result = await one.call_tool("query_metrics", question)
                while result.is_error and result.meta == {
                    "code": "too_busy",
                    "retry_after_seconds": 1,
                }:
                    await asyncio.sleep(0.05)
                    result = await one.call_tool("query_metrics", question)
                assert not result.is_error, result.content
                answer = result.structured_content
                ((slug, spend),) = answer["rows"]
                seen.append((slug, spend, answer["open_url"].split("/")[4]))
        return seen

    async def all_agents(url: str) -> list[list[tuple[str, float, str]]]:
        return await asyncio.gather(*(agent(url, TENANTS[n % 3]) for n in range(CLIENTS)))

    with running(installation.settings) as url:
        answers = asyncio.run(all_agents(url))

    base = sum(11 + n % 5 for n in range(240))
    for number, seen in enumerate(answers):
        tenant = TENANTS[number % 3]
        assert seen == [(tenant, base * (number % 3 + 1), tenant)] * CALLS
