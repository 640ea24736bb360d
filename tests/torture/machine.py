"""A project does in any order what users do; a few lines of Python say what must be true then."""

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from martlet.engines.targets import engine_of
from martlet.landing.command import land_file
from martlet.marts.versions import VersionFolder
from tests.project import Project
from tests.torture.kills import CHECKPOINTS, RUN_POINTS
from tests.torture.projects import command, copied, scratch, small_project, succeed
from tests.warehouse.state import accounted, ledger, tenant

SLUGS = ("acme", "acme_2")
BEGIN = datetime(2026, 5, 1)
BAD = {"id": "no number"}
_MASTER = "platform.platform_mm__shopify_api_v1_orders"

tenants = st.sampled_from(SLUGS)
ids = st.integers(1, 4)
prices = st.integers(1, 9)


@dataclass
class Known:
    """What the model knows of a tenant: its orders, and whether its table is routed."""

    name: str = "A tenant"
    is_active: bool = True
    is_routable: bool = True
    landed: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    refused: int = 0
    facts: dict[str, int] = field(default_factory=dict)
    rows_run: int = 0
    is_rolled_back: bool = False


def configure(project: Project, known: dict[str, Known]) -> None:
    """Write tenants.yaml as the model has it."""
    project.configure(
        {
            slug: tenant({"shopify": {"objects": ["orders"]}})
            | {"name": t.name, "status": "active" if t.is_active else "disabled"}
            for slug, t in known.items()
        }
    )


def prepare(folder: Path) -> Project:
    """Make a project in which each tenant has an order and a mart."""
    project = small_project(folder)
    configure(project, {slug: Known() for slug in SLUGS})
    for slug in SLUGS:
        deliver(project, slug, [order(0, 1, slug)], BEGIN)
    succeed(project, "run")
    return project


def order(number: int, price: int, slug: str) -> dict[str, Any]:
    """Return an order as the shop sends it, with its tenant's name on it."""
    moment = "2026-05-01T10:00:00Z"
    return {
        "id": number,
        "created_at": moment,
        "processed_at": moment,
        "updated_at": moment,
        "currency": "EUR",
        "total_price": f"{price}.00",
        "note": f"<{slug}>",
        "line_items": [],
    }


def deliver(project: Project, slug: str, records: list[dict[str, Any]], moment: datetime) -> None:
    """Land records that were exported at a moment."""
    file = project.folder / "orders.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    land_file(project.settings, slug, "shopify", "orders", file, extracted_at=moment)


class Martlet(RuleBasedStateMachine):
    """Rules change the project and the model alike; a run makes them meet."""

    base: ClassVar[Project]
    steps: ClassVar[Counter[str]] = Counter()

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="torture-"))
        self.project = copied(self.base, self.folder / "project")
        self.moment = BEGIN
        self.known = {slug: Known(landed={"0": 1}, rows=1) for slug in SLUGS}
        self.files: list[tuple[str, list[dict[str, Any]], datetime]] = []
        for t in self.known.values():
            t.facts, t.rows_run = dict(t.landed), t.rows

    def _step(self, name: str) -> None:
        Martlet.steps[name] += 1

    def _can_land(self, slug: str) -> bool:
        return self.known[slug].is_active and self.known[slug].is_routable

    @rule(
        slug=tenants, orders=st.dictionaries(ids, prices, min_size=1, max_size=3), bad=st.booleans()
    )
    def land(self, slug: str, orders: dict[int, int], bad: bool) -> None:
        """New orders, restated ones, and ones that are as they were."""
        if not self._can_land(slug):
            return
        self._step("land")
        self.moment += timedelta(hours=1)
        records = [order(number, price, slug) for number, price in orders.items()]
        records += [BAD] * bad
        deliver(self.project, slug, records, self.moment)
        self.files.append((slug, records, self.moment))
        t = self.known[slug]
        t.landed |= {str(number): price for number, price in orders.items()}
        t.rows += len(records)
        t.refused += bad

    @precondition(lambda self: self.files)
    @rule(which=st.integers(0, 9))
    def redeliver(self, which: int) -> None:
        """An old file comes again: it changes nothing."""
        slug, records, moment = self.files[which % len(self.files)]
        if not self._can_land(slug):
            return
        self._step("redeliver")
        deliver(self.project, slug, records, moment)
        self.known[slug].rows += len(records)
        self.known[slug].refused += BAD in records

    @rule(slug=tenants, price=prices)
    def drift(self, slug: str, price: int) -> None:
        """A record has a field that nobody knew."""
        if not self._can_land(slug):
            return
        self._step("drift")
        self.moment += timedelta(hours=1)
        deliver(self.project, slug, [order(9, price, slug) | {"gift_wrap": "red"}], self.moment)
        self.known[slug].landed["9"] = price
        self.known[slug].rows += 1

    @rule(slug=tenants)
    def lose_the_key(self, slug: str) -> None:
        """A table's key becomes a text: nobody may push it, until it is a number again."""
        t = self.known[slug]
        if not t.is_active:
            return
        self._step("key lost" if t.is_routable else "key found")
        kind = "varchar" if t.is_routable else "bigint"
        with engine_of(self.project.settings).open_landing() as landing:
            landing.execute(f"alter table {slug}.{slug}_shopify__orders alter id type {kind}")
        t.is_routable = not t.is_routable

    @rule(slug=tenants, decision=st.sampled_from(["approve", "reject"]))
    def decide(self, slug: str, decision: str) -> None:
        """Approve a shape that may be pushed anyway; reject one that may not."""
        t = self.known[slug]
        if not t.is_active or t.is_routable != (decision == "approve"):
            return
        self._step(decision)
        table = f"{slug}_shopify__orders"
        done = command(self.project, "registry", decision, slug, table, "--reason", "so")
        assert done.code in (0, 2), done.told  # 2: known already

    @rule(slug=tenants)
    def replay(self, slug: str) -> None:
        """Try what was refused once more: it is refused again."""
        if not self._can_land(slug):
            return
        self._step("replay")
        done = command(self.project, "quarantine", "replay", "--tenant", slug)
        assert done.code in (0, 1), done.told

    @rule(slug=tenants, name=st.sampled_from(["A tenant", "Über & Co", "'; drop table x; --"]))
    def rename(self, slug: str, name: str) -> None:
        """Another display name."""
        self._step("rename")
        self.known[slug].name = name
        configure(self.project, self.known)

    @rule(slug=tenants)
    def disable_or_enable(self, slug: str) -> None:
        """One tenant is always there."""
        others = [t for s, t in self.known.items() if s != slug]
        if not any(t.is_active for t in others):
            return
        self._step("disable or enable")
        self.known[slug].is_active = not self.known[slug].is_active
        configure(self.project, self.known)

    @rule()
    def onboard(self) -> None:
        """Write the generated files."""
        self._step("onboard")
        succeed(self.project, "onboard")

    @rule(slug=tenants)
    def roll_back(self, slug: str) -> None:
        """Go back to the version before, where there is one."""
        t = self.known[slug]
        if not t.is_active:
            return
        self._step("roll back")
        done = command(self.project, "marts", "rollback", slug)
        assert done.code in (0, 2), done.told
        t.is_rolled_back |= done.code == 0

    @rule(slug=tenants)
    def publish(self, slug: str) -> None:
        """Publish what there is."""
        if not self.known[slug].is_active:
            return
        self._step("publish")
        done = command(self.project, "publish", "--force", "--tenant", slug)
        assert done.code == 0 or not self.known[slug].is_routable, done.told
        if done.code == 0:
            self.known[slug].is_rolled_back = False

    @rule(
        point=st.sampled_from(RUN_POINTS), nth=st.integers(1, 8), where=st.sampled_from(CHECKPOINTS)
    )
    def crash(self, point: Any, nth: int, where: str) -> None:
        """A run dies somewhere, and nobody starts it again at once."""
        self._step("crash")
        death = point[1] | {"nth": min(nth, point[2])}
        done = command(
            self.project, "run", death={"checkpoint": where} if "checkpoint" in death else death
        )
        if done.code == 0:
            self._meet()

    @rule()
    def run(self) -> None:
        """Everything that may be pushed is pushed: the model and the project meet."""
        self._step("run")
        succeed(self.project, "run")
        self._meet()

    def _meet(self) -> None:
        for t in self.known.values():
            if t.is_active and t.is_routable:
                t.facts, t.rows_run = dict(t.landed), t.rows
        for slug in SLUGS:
            self._check_tenant(slug)
        self._check_masters()

    def _check_tenant(self, slug: str) -> None:
        t, sums = self.known[slug], ledger(self.project, slug)
        assert sums["landed"] == accounted(sums), f"{slug}: {sums} does not add up"
        assert sums["landed"] == t.rows_run, f"{slug}: {sums['landed']} of {t.rows_run} rows"
        rows = self.project.query(
            "select tenant_slug, order_id, cast(total_price as integer) as price "
            f"from analytics.fct_{slug}__orders"
        )
        assert {row["tenant_slug"] for row in rows} <= {slug}
        found = {row["order_id"]: row["price"] for row in rows}
        assert found == t.facts, f"{slug}: {found}, not {t.facts}"
        assert len(rows) == len(found), f"{slug} has an order twice"
        if t.is_active and t.is_routable and not t.is_rolled_back:
            self._check_mart(slug, len(found))

    def _check_mart(self, slug: str, rows: int) -> None:
        import duckdb

        folder = VersionFolder(self.project.settings.marts_dir / slug)
        version = folder.current()
        assert version, f"{slug} has no mart"
        with duckdb.connect(str(folder.path_of(version)), read_only=True) as mart:
            found = mart.execute(f"select count(*) from fct_{slug}__orders").fetchall()
        assert found == [(rows,)], f"the mart of {slug} has {found} orders, not {rows}"

    def _check_masters(self) -> None:
        (row,) = self.project.query(
            f"select count(*) filter (where not contains(raw_data_payload, '<' || tenant_slug || '>')) "
            f"as strange, count(distinct tenant_skey) as keys, "
            f"count(distinct (tenant_slug, tenant_skey)) as owned from {_MASTER}"
        )
        assert row["strange"] == 0, "a row is in the name of another tenant"
        assert row["keys"] == row["owned"], "two tenants share a key"
        hub = self.project.value("select count(*) from platform.hub_key_registry")
        assert hub == row["keys"], f"the hub has {hub} keys, the masters {row['keys']}"

    def teardown(self) -> None:
        """Whatever happened: a run, and facts that are rebuilt from the payloads alone."""
        if not hasattr(self, "project"):
            return
        for slug, t in self.known.items():
            if not t.is_routable and t.is_active:
                self.lose_the_key(slug)
        self.run()
        active = [slug for slug, t in self.known.items() if t.is_active]
        succeed(self.project, "run", "--tenant", active[0], "--as-of", "2100-01-01")
        fact = f"fct_{active[0]}__orders"
        (schema,) = self.project.query(
            "select schema_name from duckdb_tables() where table_name = ? and schema_name <> 'analytics'",
            fact,
        )
        rebuilt = f"{schema['schema_name']}.{fact}"
        different = self.project.value(
            f"select count(*) from ((from analytics.{fact} except from {rebuilt}) "
            f"union all (from {rebuilt} except from analytics.{fact}))"
        )
        assert different == 0, f"{different} rows of {fact} differ from those that are rebuilt"
        shutil.rmtree(self.folder, ignore_errors=True)


def history(chance: int, *, histories: int, steps: int) -> None:
    """Let some histories happen; raises `AssertionError` with the steps that led there."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        seed(chance)(Martlet),
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        ),
    )


def torture(
    *, chance: int, deadline: float, tell: Callable[[str], None], steps: int = 14
) -> tuple[Counter[str], int, list[str]]:
    """Let histories happen until the time is over; return steps, histories and findings."""
    found: list[str] = []
    rounds = 0
    Martlet.steps = Counter()
    with scratch() as folder:
        Martlet.base = prepare(folder / "base")
        while not rounds or time.monotonic() < deadline:
            try:
                history(chance + rounds, histories=3, steps=steps)
            except AssertionError as error:
                notes = "; ".join(getattr(error, "__notes__", ()))
                found.append(f"seed {chance + rounds}: {error} {notes}"[:3000])
                tell(f"FOUND {found[-1]}")
            rounds += 1
            tell(f"{3 * rounds} histories, {Martlet.steps.total()} steps")
    return Martlet.steps, 3 * rounds, found
