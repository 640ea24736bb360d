"""Asks a running service from many clients while its tenants are landed, run and published.

Every answer is compared with SQL written by hand on the file of the version that the answer names.

    python bench/soak_serve.py --tenants 8 --clients 64 --seconds 60
"""

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import yaml
from projects import run_tenants
from rich.console import Console
from rich.table import Table

from martlet.access.keys import KeyStore
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.landing.command import land_simulated
from martlet.settings import Settings, load_settings

LAST_DAY = date(2026, 6, 10)
PARTS = ("macros", "models/platform", "data-tests", "dbt_project.yml", "profiles.yml")
# What is asked, and the same by hand; {t} is the tenant.
QUESTIONS: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {"model": "ad_performance", "measures": ["spend", "clicks"], "dimensions": ["campaign_id"]},
        "select campaign_id, sum(spend), sum(clicks) from fct_{t}__ad_performance group by 1",
    ),
    (
        {"model": "ad_performance", "measures": ["spend", "ctr"], "time": {"grain": "day"}},
        "select report_date, sum(spend), sum(clicks) / nullif(sum(impressions), 0) "
        "from fct_{t}__ad_performance group by 1",
    ),
    (
        {
            "model": "orders",
            "measures": ["order_count", "revenue"],
            "dimensions": ["financial_status"],
        },
        "select financial_status, count(*) filter (counted), "
        "sum(total_price - coalesce(refunded, 0)) filter (counted) from (select *, "
        "not coalesce(is_test, false) and not coalesce(is_cancelled, false) as counted "
        "from fct_{t}__orders) group by 1",
    ),
)


@dataclass
class Seen:
    """What the clients saw: (tenant, version, question) with the rows, seconds, statuses."""

    answers: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Set up, ask, compare, print; fail where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tenants", type=int, default=8)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--feed", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.feed:
        feed(load_settings({}, Path(asked.feed)))
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = new_settings(Path(folder), asked.tenants)
        slugs = [f"client_{n}" for n in range(asked.tenants)]
        for slug in slugs:
            land(settings, slug, days=10, until=LAST_DAY)
        run_tenants(settings, slugs)
        keys = KeyStore(settings.control)
        tokens = {slug: keys.create(slug, ("query",)).text for slug in slugs}
        expected: dict[tuple[str, str, int], str] = {}
        with watching(settings, slugs, expected), serving(settings) as url, feeding(settings):
            seen = asyncio.run(ask(url, tokens, asked.clients, asked.seconds))
        show(seen, expected, asked.clients)


def new_settings(folder: Path, tenants: int) -> Settings:
    """Return the settings of a project of its own, whose tenants differ by their simulation."""
    repository = load_settings(os.environ).project_dir
    (folder / "models").mkdir()
    for part in PARTS:
        (folder / part).symlink_to(repository / part)
    for layer in ("sources", "staging", "intermediate", "analytics"):
        (folder / "models" / layer).mkdir()
    catalogue = repository / "supported_connectors.yaml"
    (folder / catalogue.name).write_text(catalogue.read_text())
    stanza: dict[str, Any] = {"reporting_timezone": "UTC", "currency": "EUR"}
    document = {
        "version": 1,
        "tenants": {
            f"client_{n}": {
                "name": f"Client {n}",
                **stanza,
                "sources": {
                    "google_ads": {"generation": {"campaigns": 3, "seed_offset": 2 * n}},
                    "shopify": {"generation": {"orders_per_day": 10 + n, "seed_offset": 2 * n + 1}},
                },
            }
            for n in range(tenants)
        },
    }
    (folder / "tenants.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return load_settings({}, folder)


def land(settings: Settings, slug: str, *, days: int, until: date) -> None:
    """Land simulated days of one tenant."""
    land_simulated(settings, slug, days=days, until=until, seed=5, wait_seconds=60)


def feed(settings: Settings) -> None:
    """Land a day more for one tenant after the other and run it, until this process is ended."""
    slugs = list(
        load_tenants(settings.tenants_file, load_catalogue(settings.catalogue_file)).tenants
    )
    for step in range(10_000):
        slug = slugs[step % len(slugs)]
        land(settings, slug, days=3, until=LAST_DAY + timedelta(days=1 + step // len(slugs)))
        run_tenants(settings, [slug])


@contextmanager
def feeding(settings: Settings) -> Iterator[None]:
    """Feed in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--feed", str(settings.project_dir)]
    process = subprocess.Popen(command)
    try:
        yield
        if process.poll() is not None:
            raise SystemExit("landing and running failed while the clients asked")
    finally:
        process.kill()
        process.wait()


@contextmanager
def serving(settings: Settings, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run `martlet serve`, with environment variables, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    unlimited = {
        "MARTLET_RATE_PER_KEY": "1000000/minute",
        "MARTLET_RATE_PER_TENANT": "1000000/minute",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "martlet", "serve", "--port", str(port), "--log-level", "error"],
        cwd=settings.project_dir,
        env=os.environ | unlimited | dict(variables or {}),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        yield url
    finally:
        if process.poll() is not None:
            Console(stderr=True).print(f"the server ended by itself with {process.returncode}")
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def watching(
    settings: Settings, slugs: list[str], expected: dict[tuple[str, str, int], str]
) -> Iterator[None]:
    """Answer every question by hand for each version, as it appears."""
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(settings, slugs, expected, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _watch(
    settings: Settings,
    slugs: list[str],
    expected: dict[tuple[str, str, int], str],
    stop: threading.Event,
) -> None:
    while True:
        last = stop.is_set()
        for slug in slugs:
            for file in (settings.marts_dir / slug).glob("v*.duckdb"):
                if (slug, file.stem, 0) in expected:
                    continue
                with duckdb.connect(str(file), read_only=True) as mart:
                    for number, (_, sql) in enumerate(QUESTIONS):
                        rows = mart.execute(sql.format(t=slug)).fetchall()
                        expected[slug, file.stem, number] = digest(rows)
        if last:
            return
        time.sleep(0.1)


def digest(rows: list[Any]) -> str:
    """Return rows as one text, whatever their order; numbers to nine digits."""
    return json.dumps(sorted([[_plain(value) for value in row] for row in rows], key=repr))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, date) else f"{float(value):.9g}"


async def ask(url: str, tokens: dict[str, str], clients: int, seconds: float) -> Seen:
    """Ask from all clients at once until the time is over."""
    seen = Seen()
    until = time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as http:
        await asyncio.gather(
            *(_client(http, tokens, until, random.Random(n), seen) for n in range(clients))
        )
    return seen


async def _client(
    http: httpx.AsyncClient, tokens: dict[str, str], until: float, chance: random.Random, seen: Seen
) -> None:
    while time.perf_counter() < until:
        slug = chance.choice(list(tokens))
        number = chance.randrange(len(QUESTIONS))
        began = time.perf_counter()
        response = await http.post(
            f"/v1/{slug}/query",
            json=QUESTIONS[number][0],
            headers={"Authorization": f"Bearer {tokens[slug]}"},
        )
        spent = time.perf_counter() - began
        seen.statuses[str(response.status_code)] += 1
        if response.status_code == 200:
            seen.seconds.append(spent)
            answer = response.json()
            seen.answers[slug, answer["data_version"], number, digest(answer["rows"])] += 1
        else:
            await asyncio.sleep(0.02)


def show(seen: Seen, expected: dict[tuple[str, str, int], str], clients: int) -> None:
    """Print what was seen; raises `SystemExit` where an answer was wrong or refused."""
    wrong = Counter[str]()
    for (slug, version, number, rows), count in seen.answers.items():
        known = expected.get((slug, version, number))
        wrong["of an unknown version" if known is None else "wrong"] += count * (known != rows)
    refused = sum(count for status, count in seen.statuses.items() if status not in ("200", "429"))
    spent = statistics.quantiles(seen.seconds, n=100)
    table = Table(title=f"{clients} clients, {sum(seen.statuses.values()):,} requests")
    for heading in ("what", "seen"):
        table.add_column(heading)
    asked_versions = len({(slug, version) for slug, version, _, _ in seen.answers})
    for what, value in (
        ("statuses", ", ".join(f"{s}: {c:,}" for s, c in sorted(seen.statuses.items()))),
        ("versions answered from", f"{asked_versions}"),
        ("wrong answers", f"{wrong['wrong']}"),
        ("answers of a version never published", f"{wrong['of an unknown version']}"),
        ("p50, p95, p99 ms", " / ".join(f"{spent[n - 1] * 1e3:.1f}" for n in (50, 95, 99))),
    ):
        table.add_row(what, value)
    Console().print(table)
    if refused or wrong.total():
        raise SystemExit(f"{refused} requests failed, {wrong.total()} answers were wrong")


if __name__ == "__main__":
    main()
