"""Every text of every tenant carries a word that nobody else may ever see."""

import io
import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from martlet.access.keys import KeyStore
from martlet.api.app import create_app
from martlet.api.observations import SUBJECTS
from martlet.api.settings import ServingSettings
from martlet.contracts.library import object_contract
from martlet.contracts.physical import physical_columns
from martlet.engines.targets import engine_of
from martlet.mcp.over_http import add_mcp
from martlet.mcp.tools import TOOLS
from martlet.web.pages import add_pages
from tests.api.conftest import UNHINDERED
from tests.project import REPOSITORY, Project
from tests.serving import served
from tests.torture.projects import command, small_project
from tests.warehouse.state import tenant
from tests.web.served import Visitor

# In a pattern the underscore stands for any letter; the one slug begins with the other.
SLUGS = ("a", "a_b", "axb", "shop", "shop_1")
SCOPES = ("query", "observability", "pii")
FORMS = ("application/json", "text/csv", "application/vnd.apache.arrow.stream")
MODELS = {
    "ad_performance": (["spend"], ["campaign_id", "ad_id"]),
    "orders": (["gross_revenue"], ["order_id"]),
    "campaigns": (["campaign_count"], ["campaign_name"]),
}
PARTS = ("", "/explore", "/pipeline", "/schemas", "/explore/answer.csv", "/explore/values")


@dataclass
class Report:
    """How many texts were looked through, and what was in the wrong one."""

    relations: int = 0
    files: int = 0
    answers: int = 0
    own: int = 0  # answers that hold the tenant's own canary: what the search would have found
    found: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Flock:
    """The tenants, each with its canary and key."""

    project: Project
    canaries: dict[str, str]
    keys: dict[str, str]

    def strangers(self, slug: str, text: str) -> list[str]:
        """Return whose canaries are in a text, besides the tenant's own."""
        return [other for other, word in self.canaries.items() if other != slug and word in text]


def prepare(folder: Path, seed: str) -> Flock:
    """Configure, land and run tenants whose every text is their own canary."""
    chance = random.Random(seed)
    words = {slug: f"canary{chance.randbytes(8).hex()}" for slug in SLUGS}
    project = small_project(folder / "project")
    project.configure({slug: _stanza(word) for slug, word in words.items()})
    for slug, word in words.items():
        for platform, object_, records in _records(word):
            project.land_records(slug, platform, object_, records)
    runs = [("run", "--tenant", slug, "--wait", "600") for slug in SLUGS]
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda arguments: command(project, *arguments), runs):
            assert done.code == 0, done.told
            slug = done.arguments[2]
            assert not [w for s, w in words.items() if s != slug and w in done.stdout + done.stderr]
    with KeyStore(project.settings.control) as keys:
        made = {slug: keys.create(slug, SCOPES).text for slug in SLUGS}
    return Flock(project, words, made)


def _stanza(word: str) -> dict[str, Any]:
    connection = {"attribution_window": word, "conversion_actions": [word]}
    return tenant(
        {
            "tiktok_ads": {
                "objects": ["campaigns", "ads_reports_daily"],
                "connections": {"main": connection},
            },
            "shopify": {"objects": ["orders"]},
        }
    ) | {"name": word}


def _records(word: str) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield records of equal ids in every tenant; what may be text is the canary."""
    day = {"stat_time_day": "2026-05-01 00:00:00", "ad_id": word}
    metrics = {"spend": "10.00", "campaign_id": "7", "campaign_name": word, "ad_name": word}
    campaign = {"campaign_id": "7", "advertiser_id": "70", "create_time": "2026-05-01 00:00:00"}
    order = {"id": 1, "created_at": "2026-05-01T10:00:00Z", "updated_at": "2026-05-01T10:00:00Z"}
    order |= {"processed_at": "2026-05-01T10:00:00Z", "currency": "EUR", "total_price": "10.00"}
    yield "tiktok_ads", "ads_reports_daily", [{"dimensions": day, "metrics": metrics}]
    yield "tiktok_ads", "campaigns", [_filled("tiktok_ads", "campaigns", word) | campaign]
    bad = {"id": f"not a number {word}", "note": word}
    yield (
        "shopify",
        "orders",
        [_filled("shopify", "orders", word) | order | {f"x_{word}": word}, bad],
    )


def _filled(platform: str, object_: str, word: str) -> dict[str, Any]:
    record = object_contract(platform, object_).versions[0].record
    moments = ("_at", "_time", "_date", "price", "budget", "amount")
    return {
        name: word
        for name, kind in physical_columns(record).items()
        if kind == "VARCHAR" and not any(part in name for part in moments)
    }


def torture(folder: Path, *, seed: str, rounds: int, tell: Callable[[str], None]) -> Report:
    """Look everywhere, for some rounds of requests from all tenants at once."""
    report, began = Report(), time.monotonic()
    flock = prepare(folder, seed)
    _look_into_relations(flock, report)
    _look_into_files(flock, report)
    tell(
        f"{report.relations} relations and {report.files} files after {time.monotonic() - began:.0f} s"
    )
    with _server(flock) as (url, log):
        asked = [(slug, number) for number in range(rounds) for slug in SLUGS]
        with ThreadPoolExecutor(8) as pool:
            for told in pool.map(lambda one: list(_answers(flock, url, *one)), asked):
                for slug, where, text in told:
                    report.answers += 1
                    report.own += flock.canaries[slug] in text
                    report.found += [
                        f"{other}'s canary in {slug}'s {where}"
                        for other in flock.strangers(slug, text)
                    ]
    words = [slug for slug, word in flock.canaries.items() if word in log.getvalue()]
    report.found += [f"{slug}'s canary in the server's log" for slug in words]
    tell(f"{report.answers} answers, {report.own} with their own canary")
    return report


def _look_into_relations(flock: Flock, report: Report) -> None:
    with engine_of(flock.project.settings).open_both(read_only=True) as warehouse:
        names = warehouse.execute(
            "select schema_name || '.\"' || table_name || '\"', table_name from duckdb_columns() "
            "where database_name = current_database() group by all order by all"
        ).fetchall()
        for relation, name in names:
            owners = [slug for slug in SLUGS if f"_{slug}__" in f"_{name}"]
            for slug in owners[-1:]:
                report.relations += 1
                _look(warehouse, relation, slug, flock, report)


def _look_into_files(flock: Flock, report: Report) -> None:
    settings = flock.project.settings
    for slug in SLUGS:
        for folder in (settings.marts_dir / slug, settings.operations_dir / slug):
            for file in folder.glob("*.duckdb"):
                report.files += 1
                with duckdb.connect(str(file), read_only=True) as mart:
                    for (table,) in mart.execute(
                        "select table_name from duckdb_tables()"
                    ).fetchall():
                        _look(mart, f'"{table}"', slug, flock, report)
        texts = [*settings.target_dir(slug).rglob("*"), *settings.dlt_dir.glob(f"{slug}__*/**/*")]
        for layer in ("sources", "staging", "intermediate", "analytics"):
            texts += (flock.project.folder / "models" / layer / slug).rglob("*")
        for file in texts:
            if file.is_file():
                report.files += 1
                text = file.read_bytes().decode("utf-8", errors="replace")
                report.found += [
                    f"{o}'s canary in {file.name}" for o in flock.strangers(slug, text)
                ]


def _look(
    connection: duckdb.DuckDBPyConnection, relation: str, slug: str, flock: Flock, report: Report
) -> None:
    for other, word in flock.canaries.items():
        if other != slug:
            ((rows,),) = connection.execute(
                f"select count(*) from {relation} as t where contains(cast(t as varchar), ?)",
                [word],
            ).fetchall()
            if rows:
                report.found.append(f"{other}'s canary in {slug}'s {relation}")


@contextmanager
def _server(flock: Flock) -> Iterator[tuple[str, StringIO]]:
    log = StringIO()
    app = create_app(flock.project.settings, ServingSettings(rates=UNHINDERED), log_to=log)
    add_mcp(app, None)
    add_pages(app, REPOSITORY / "node_modules")
    with served(app) as url:
        yield url, log


def _answers(flock: Flock, url: str, slug: str, number: int) -> Iterator[tuple[str, str, str]]:
    """Ask through every door with a tenant's key, also for what is another's."""
    key = flock.keys[slug]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=120) as client:
        for path in [f"/v1/{slug}/models", *(f"/v1/{slug}/observability/{s}" for s in SUBJECTS)]:
            yield slug, path, client.get(path).text
        for model, (measures, dimensions) in MODELS.items():
            question = {"model": model, "measures": measures, "dimensions": dimensions}
            form = FORMS[number % len(FORMS)]
            answered = client.post(f"/v1/{slug}/query", json=question, headers={"Accept": form})
            yield slug, f"{model} as {form}", _text(answered)
            wrong = question | {"dimensions": [f"no_{flock.canaries[slug]}"]}
            yield slug, "a refusal", client.post(f"/v1/{slug}/query", json=wrong).text
        for other in SLUGS:
            if other != slug:
                refused = client.get(f"/v1/{other}/models")
                assert refused.status_code == 404, refused.text
                yield slug, f"a request for {other}", refused.text
        for tool in TOOLS:
            yield slug, f"tool {tool.name}", _call(client, tool.name, flock.canaries[slug])
    visitor = Visitor(url)
    assert visitor.sign_in(key).status_code == 303
    for part in PARTS:
        yield slug, f"page {part}", unescape(visitor.get(f"/ui/{slug}{part}").text)
    question_ = "model=campaigns&measures=campaign_count&dimensions=campaign_name"
    yield slug, "explore", unescape(visitor.get(f"/ui/{slug}/explore?{question_}").text)


def _text(answered: httpx.Response) -> str:
    kind = answered.headers["content-type"].partition(";")[0]
    if kind == "application/vnd.apache.arrow.stream":
        return str(pa.ipc.open_stream(io.BytesIO(answered.content)).read_all().to_pylist())
    if kind.endswith("parquet"):
        return str(pq.read_table(io.BytesIO(answered.content)).to_pylist())
    return answered.text


def _call(client: httpx.Client, tool: str, word: str) -> str:
    arguments = {
        "model": "campaigns",
        "measures": ["campaign_count"],
        "dimensions": ["campaign_name"],
    }
    arguments |= {"dimension": "campaign_name", "search": word[:6]} if "search" in tool else {}
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments if "list" not in tool else {}},
    }
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    return json.dumps(client.post("/mcp", json=message, headers=headers).json())
