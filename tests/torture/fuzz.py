"""Configurations, files and messages that nobody thought of: an answer or a typed error, no half."""

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from martlet.config.catalogue import load_catalogue
from martlet.contracts.library import object_contract
from martlet.errors import BadInputError, MartletError
from martlet.landing.command import land_file
from martlet.landing.files import read_file
from tests.api.published import install
from tests.mcp.served import running
from tests.project import REPOSITORY, Project
from tests.torture.contents import require_whole_loads
from tests.unit.test_config_mutations import (
    ALERT,
    CATALOGUE_TEXT,
    KEYS,
    SHARED_LANDING,
    TENANTS_TEXT,
    VALUES,
    check_tenants,
    structural_mutants,
    textual_mutants,
)

MOMENT = datetime(2026, 5, 10)
DEPTH = 20_000
HOSTILE = (
    "'; drop table platform.hub_key_registry; --",
    "\"; attach '/etc/passwd' as p; --",
    "../../../../etc/passwd",
    "{{ env_var('PATH') }}",
    "{% do run_query('select 1') %}",
    "\x00",
    "\u202e",
    "\ud83d",
    "=cmd|' /C calc'!A0",
    "a" * 70_000,
    "%s%n$name?",
)
COLUMNS = (
    "id",
    "ID",
    "total_price",
    "_dlt_load_id",
    "_martlet_row",
    "raw_data_payload",
    "",
    " ",
    "é",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp037")
SCALARS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    -(2**80),
    1e308,
    float("nan"),
    float("inf"),
    "",
    "NaN",
    "1e999",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+14:00",
    "2026-02-30",
    [],
    {},
    [[]],
    {"": {"": None}},
    *HOSTILE,
)
RECORD = {
    "id": 450789469,
    "created_at": "2026-05-01T10:00:00Z",
    "updated_at": "2026-05-01T10:00:00Z",
    "currency": "EUR",
    "total_price": "10.00",
    "financial_status": "paid",
    "customer": {"id": 1, "email": "a@example.com"},
    "line_items": [{"id": 1, "quantity": 1, "price": "10.00"}],
    "test": False,
}


@dataclass
class Report:
    """How many cases of each kind there were, how they ended, and what should not have."""

    cases: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)


@contextmanager
def _told(report: Report, kind: str) -> Iterator[None]:
    """Take a broken promise for a finding: hypothesis has made it small."""
    try:
        yield
    except (Exception, ExceptionGroup) as error:  # noqa: BLE001
        note = "; ".join(getattr(error, "__notes__", ()))[:1500]
        report.found.append(f"{kind}: {type(error).__name__}: {str(error)[:500]} {note}")


def configurations(folder: Path, report: Report, *, chance: int, cases: int) -> None:
    """Mutate and generate `tenants.yaml` and the catalogue."""
    catalogue = load_catalogue(REPOSITORY / "supported_connectors.yaml")
    extra = {"shared_landings": [SHARED_LANDING], "alerts": [ALERT]}
    generated = st.dictionaries(KEYS, VALUES, max_size=6).map(json.dumps)
    small = structural_mutants(_small_tenants(), extra)
    mutants = st.one_of(textual_mutants(_small_tenants()), small, generated)
    file = folder / "configuration.yaml"

    def tenants(text: str) -> None:
        file.write_text(text, errors="surrogatepass")
        check_tenants(file, catalogue)

    def library(text: str) -> None:
        file.write_text(text, errors="surrogatepass")
        try:
            load_catalogue(file)
        except BadInputError as error:
            assert str(file) in str(error)

    whole = st.one_of(structural_mutants(TENANTS_TEXT, extra), textual_mutants(TENANTS_TEXT))
    stanzas = st.one_of(structural_mutants(CATALOGUE_TEXT, {}), textual_mutants(CATALOGUE_TEXT))
    _examples(report, "tenants.yaml, small", mutants, tenants, chance, cases // 2)
    _examples(report, "tenants.yaml, the demo's", whole, tenants, chance, cases // 4)
    _examples(report, "catalogue", stanzas, library, chance, cases // 4)


def _examples(
    report: Report,
    kind: str,
    strategy: st.SearchStrategy[str],
    check: Callable[[str], None],
    chance: int,
    cases: int,
) -> None:
    @seed(chance)
    @settings(
        max_examples=max(cases, 1),
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def attempt(text: str) -> None:
        report.cases[kind] += 1
        check(text)

    with _told(report, kind):
        attempt()


def _small_tenants() -> str:
    tenant = (
        "name: Acme\n    reporting_timezone: Europe/Berlin\n    currency: EUR\n    sources:\n"
        "      shopify: {connections: {main: {}, outlet: {currency: USD}}}\n"
        "      google_ads: {connections: {main: {accounts: ['1234567890']}}}\n"
        "      google_analytics: {tables: {events: {conversion_events: [purchase]}}}\n"
    )
    return f"version: 1\ntenants:\n  acme:\n    {tenant}  acme_2:\n    {tenant}"


def a_file(chance: random.Random, folder: Path) -> Path:
    """Write a file of orders of which something is wrong, or nothing."""
    records = [_a_record(chance) for _ in range(chance.randint(0, 4))]
    kind = chance.choice(["jsonl", "jsonl", "json", "csv", "parquet", "bytes", "deep", "wide"])
    if kind == "parquet":
        return _a_parquet(chance, folder)
    text = "\n".join(json.dumps(record) for record in records)
    if kind == "json":
        text = json.dumps(records)
    elif kind == "csv":
        names = chance.sample(COLUMNS, chance.randint(1, len(COLUMNS)))
        rows = [[str(chance.choice(SCALARS)) for _ in names] for _ in range(3)]
        text = "\n".join(chance.choice([",", ";", "\t"]).join(r) for r in [names, *rows])
    elif kind == "deep":
        text = '{"id": 1, "line_items": ' + "[" * DEPTH + "]" * chance.choice([DEPTH, 0]) + "}"
    elif kind == "wide":
        text = json.dumps({"id": 1} | {f"field_{n}": n for n in range(3_000)})
    data = text.encode(chance.choice(ENCODINGS), errors="replace")
    if kind == "bytes":
        data = chance.choice(
            [
                chance.randbytes(200),
                b"",
                b"\xff" * 10,
                gzip.compress(b"0" * 10**7),
                data[: len(data) // 2],
            ]
        )
    name = chance.choice(
        ["orders.jsonl", "orders.csv", "orders.parquet", "orders.json", "o'r;d.jsonl"]
    )
    if kind in ("jsonl", "csv") and chance.random() < 0.8:
        name = f"orders.{kind}"
    file = folder / name
    file.write_bytes(data)
    return file


def _a_record(chance: random.Random) -> dict[str, Any]:
    record = dict(RECORD)
    for _ in range(chance.randint(0, 4)):
        name = chance.choice([*RECORD, *COLUMNS, *HOSTILE])
        if chance.random() < 0.2:
            record.pop(name, None)
        else:
            record[name] = chance.choice(SCALARS)
    return record


def _a_parquet(chance: random.Random, folder: Path) -> Path:
    types = (
        pa.int8(),
        pa.uint64(),
        pa.float16(),
        pa.decimal256(60, 5),
        pa.duration("ns"),
        pa.time64("ns"),
        pa.date64(),
        pa.timestamp("ns", "Asia/Kathmandu"),
        pa.large_binary(),
        pa.list_(pa.struct([("a", pa.int32())])),
        pa.dictionary(pa.int8(), pa.string()),
        pa.map_(pa.string(), pa.int64()),
        pa.null(),
    )
    names = chance.sample([*COLUMNS, *RECORD, *HOSTILE[:5]], 3)
    table = pa.table({name: pa.nulls(2, chance.choice(types)) for name in names})
    file = folder / "orders.parquet"
    try:
        pq.write_table(table, file)
    except (pa.ArrowException, NotImplementedError):  # a type that Parquet has not
        pq.write_table(pa.table({"id": [1, 2]}), file)
    if chance.random() < 0.3:
        file.write_bytes(file.read_bytes()[: chance.randint(0, 400)])
    return file


def files(folder: Path, project: Project, report: Report, *, chance: int, cases: int) -> None:
    """Read many files, and land one of twenty: what is refused leaves the landing as it was."""
    contract = object_contract("shopify", "orders")
    for number in range(cases):
        lot = random.Random(f"{chance}/{number}")
        file = a_file(lot, folder)
        report.cases["file"] += 1
        with _told(report, f"file {chance}/{number} ({file.name})"):
            if number % 20:
                report.outcomes[_read(file, contract)] += 1
            else:
                report.outcomes[_landed(project, file)] += 1
        file.unlink()


def _read(file: Path, contract: Any) -> str:
    try:
        batch = read_file(
            file,
            platform="shopify",
            connection="main",
            contract=contract,
            loader=None,
            extracted_at=MOMENT,
        )
    except MartletError:
        return "refused"
    assert batch.received == batch.rows.num_rows + len(batch.rejected), "rows are not accounted for"
    return "read"


def _landed(project: Project, file: Path) -> str:
    before = _landing(project)
    try:
        report = land_file(project.settings, "acme_2", "shopify", "orders", file)
    except MartletError:
        assert _landing(project) == before, "what was refused left something behind"
        return "landing refused"
    (table,) = report.tables
    assert table.received == table.accepted + table.quarantined, "rows are not accounted for"
    assert not report.recovered, "an earlier landing had left something pending"
    with duckdb.connect(str(project.landing), read_only=True) as landing:
        require_whole_loads(landing, "acme_2")
    return "landed"


def _landing(project: Project) -> Any:
    if not project.landing.exists():
        return None
    with duckdb.connect(str(project.landing), read_only=True) as landing:
        return landing.execute(
            "select schema_name, table_name, estimated_size, column_count from duckdb_tables() order by all"
        ).fetchall()


def messages(url: str, key: str, report: Report, *, chance: int, cases: int) -> None:
    """Send MCP what is nearly a message; no answer is a 5xx, each is JSON, and none a traceback."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        for number in range(cases):
            lot = random.Random(f"{chance}/{number}")
            report.cases["MCP message"] += 1
            with _told(report, f"MCP message {chance}/{number}"):
                answered = client.post("/mcp", content=_a_message(lot))
                assert answered.status_code < 500, f"{answered.status_code} {answered.text[:300]}"
                assert "Traceback" not in answered.text
                report.outcomes[f"MCP {answered.status_code}"] += 1


def _a_message(lot: random.Random) -> bytes:
    tools = ("list_models", "query", "compare", "describe_model", "freshness", "explain", "no_tool")
    arguments = {
        lot.choice(
            ["model", "measures", "dimensions", "filters", "time", "limit", "cursor", "tenant"]
        ): (
            lot.choice(
                [*SCALARS, "ad_performance", ["spend"], [{"field": "spend", "op": "=", "value": 1}]]
            )
        )
        for _ in range(lot.randint(0, 4))
    }
    message: Any = {
        "jsonrpc": "2.0",
        "id": lot.choice([1, "a", None, 2**70, 1.5, [], {}]),
        "method": lot.choice(
            [
                "tools/call",
                "tools/call",
                "tools/list",
                "resources/read",
                "prompts/get",
                "initialize",
                "x",
            ]
        ),
        "params": {
            "name": lot.choice(tools),
            "arguments": arguments,
            "uri": lot.choice(["martlet://models", "file:///etc/passwd", "martlet://models/../x"]),
        },
    }
    for _ in range(lot.randint(0, 2)):
        message[lot.choice(["jsonrpc", "id", "method", "params", "extra"])] = lot.choice(SCALARS)
    if lot.random() < 0.1:
        message = [message] * lot.choice([0, 1, 50])
    data = json.dumps(message).encode()
    if lot.random() < 0.15:
        data = lot.choice(
            [data[:-5], b"[" * 50_000, b"\xff\xfe" + data, b"", data.replace(b":", b"::")]
        )
    return data


def torture(
    folder: Path,
    project: Project,
    *,
    chance: int,
    configurations_: int,
    files_: int,
    messages_: int,
    tell: Callable[[str], None],
) -> Report:
    """Do everything; `project` is one that nothing has landed in."""
    report, began = Report(), time.monotonic()

    def lap(what: str) -> None:
        tell(f"{report.cases.total():,} cases after {time.monotonic() - began:.0f} s: {what}")

    installed = install(folder / "installed")
    with running(installed.settings) as url:
        messages(url, installed.key(), report, chance=chance, cases=messages_)
    lap("MCP messages")
    files(folder, project, report, chance=chance, cases=files_)
    lap("files")
    configurations(folder, report, chance=chance, cases=configurations_)
    lap("configurations")
    return report
