"""Asks a running server over MCP from many agents of several tenants at once.

Every answer must be of the tenant of its agent's key: rows are compared with SQL written by hand on
the file of the version that the answer names, which other tenants' files do not match.

    python bench/soak_mcp.py --tenants 9 --clients 18 --calls 1000
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx2
from mcp.client.streamable_http import streamable_http_client
from projects import run_tenants
from rich.console import Console
from rich.table import Table
from soak_serve import LAST_DAY, digest, land, new_settings, serving

from martlet.access.keys import KeyStore
from martlet.settings import Settings
from mcp import Client

DAYS = {"start": "2026-05-01", "end": "2026-06-30"}
# What is asked, and the same by hand; {t} is the tenant.
QUESTIONS: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {
            "model": "ad_performance",
            "measures": ["spend", "clicks"],
            "dimensions": ["tenant_slug", "campaign_id"],
            "time": DAYS,
        },
        "select tenant_slug, campaign_id, sum(spend), sum(clicks) from fct_{t}__ad_performance "
        "group by all",
    ),
    (
        {
            "model": "orders",
            "measures": ["order_count", "gross_revenue"],
            "dimensions": ["tenant_slug"],
            "time": DAYS | {"grain": "day"},
        },
        "select business_date, tenant_slug, count(*) filter (counted), "
        "sum(total_price) filter (counted) from (select *, "
        "not coalesce(is_test, false) and not coalesce(is_cancelled, false) as counted "
        "from fct_{t}__orders) group by all",
    ),
)
# The protocol that each kind of agent speaks, as the SDK's client is told.
MODES = {"auto": "2026-07-28", "legacy": "2025-11-25"}


@dataclass
class Seen:
    """What the agents saw."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    versions: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Expected:
    """The answers of each tenant's file, made by hand."""

    rows: dict[tuple[str, str, int], str]


def main() -> None:
    """Set up, ask, print; fail where an answer was wrong or another tenant's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tenants", type=int, default=9)
    parser.add_argument("--clients", type=int, default=18)
    parser.add_argument("--calls", type=int, default=1_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = new_settings(Path(folder), asked.tenants)
        slugs = [f"client_{n}" for n in range(asked.tenants)]
        for slug in slugs:
            land(settings, slug, days=10, until=LAST_DAY)
        run_tenants(settings, slugs)
        with KeyStore(settings.control) as store:
            keys = {slug: store.create(slug, ("query",)).text for slug in slugs}
        expected = by_hand(settings, slugs)
        if len(set(expected.rows.values())) < len(expected.rows):
            raise SystemExit("two tenants have the same rows, so nothing could be told apart")
        with serving(settings) as url:
            seen = asyncio.run(ask(url, keys, expected, asked.clients, asked.calls))
    show(seen, asked.clients, asked.tenants)


def by_hand(settings: Settings, slugs: list[str]) -> Expected:
    """Answer every question on each tenant's file."""
    rows = {}
    for slug in slugs:
        for file in (settings.marts_dir / slug).glob("v*.duckdb"):
            with duckdb.connect(str(file), read_only=True) as mart:
                for number, (_, sql) in enumerate(QUESTIONS):
                    found = mart.execute(sql.format(t=slug)).fetchall()
                    rows[slug, file.stem, number] = digest(found)
    return Expected(rows)


async def ask(url: str, keys: dict[str, str], expected: Expected, clients: int, calls: int) -> Seen:
    """Ask from all agents at once, each of one tenant, half of them over each protocol."""
    seen = Seen()
    slugs = list(keys)
    share = -(-calls // clients)
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            slug = slugs[number % len(slugs)]
            mode = list(MODES)[number // len(slugs) % len(MODES)]
            group.create_task(
                agent(url, keys[slug], slug, mode, share, random.Random(number), expected, seen)
            )
    return seen


async def agent(
    url: str,
    key: str,
    slug: str,
    mode: str,
    calls: int,
    chance: random.Random,
    expected: Expected,
    seen: Seen,
) -> None:
    """Ask until so many questions are answered; a server that is busy is asked again."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
    ):
        assert client.protocol_version == MODES[mode]
        for _ in range(calls):
            number = chance.randrange(len(QUESTIONS))
            question = QUESTIONS[number][0] | {"limit": 1_000}
            while True:
                began = time.perf_counter()
                result = await client.call_tool("query_metrics", question)
                if not result.is_error or (result.meta or {}).get("code") != "too_busy":
                    break
                seen.outcomes["too_busy, asked again"] += 1
                await asyncio.sleep(0.05 * chance.random())
            seen.seconds.append(time.perf_counter() - began)
            seen.outcomes[_outcome(result, slug, number, expected, seen)] += 1


def _outcome(result: Any, slug: str, number: int, expected: Expected, seen: Seen) -> str:
    if result.is_error:
        return f"refused: {(result.meta or {}).get('code')}"
    answer = result.structured_content
    version = answer["data_version"]
    seen.versions.add((slug, version))
    if f"/ui/{slug}/" not in answer["open_url"]:
        return "link of another tenant"
    known = expected.rows.get((slug, version, number))
    if known is None:
        return "of a version never published"
    return "right" if digest(answer["rows"]) == known else "wrong"


def show(seen: Seen, clients: int, tenants: int) -> None:
    """Print what was seen; raises `SystemExit` where an answer was not right."""
    spent = statistics.quantiles(seen.seconds, n=100)
    answered = len(seen.seconds)
    table = Table(title=f"{clients} agents of {tenants} tenants, {answered:,} calls over MCP")
    for heading in ("what", "seen"):
        table.add_column(heading)
    for what, count in sorted(seen.outcomes.items()):
        table.add_row(what, f"{count:,}")
    table.add_row("versions answered from", f"{len(seen.versions)}")
    table.add_row("p50, p95, p99 ms", " / ".join(f"{spent[n - 1] * 1e3:.0f}" for n in (50, 95, 99)))
    Console().print(table)
    if seen.outcomes["right"] != answered:
        raise SystemExit(f"{answered - seen.outcomes['right']} answers were not right")


if __name__ == "__main__":
    main()
