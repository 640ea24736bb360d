"""How results look: tables for people on standard output, or one JSON document."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from martlet.config.catalogue import Catalogue
from martlet.config.tenants import TenantsFile
from martlet.pipeline.progress import Listener, Silence
from martlet.scaffold.files import Changes

MAX_NAMED = 10

if TYPE_CHECKING:
    from martlet.landing.batches import Progress as LandingProgress
    from martlet.landing.batches import ProgressCallback
    from martlet.landing.pipeline import LandingReport
    from martlet.pipeline.findings import Finding
    from martlet.pipeline.report import MartReport, RunReport


class Terminal:
    """Prints results; with `as_json`, standard output is one document and nothing else."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        # Piped output has no width of its own: wide enough that no name is cut.
        width = None if sys.stdout.isatty() else 160
        self._out = Console(highlight=False, width=width)
        self._err = Console(stderr=True, highlight=False)

    def say(self, document: Any, sentence: str) -> None:
        """Print a document for programs or a sentence for people."""
        if self._as_json:
            print(json.dumps(document, indent=2, default=str, ensure_ascii=False))  # noqa: T201
        else:
            self._out.print(sentence, markup=False)

    def warn(self, sentence: str) -> None:
        """Print what a person should know on standard error."""
        self._err.print(f"! {sentence}", markup=False, soft_wrap=True)

    def rows(self, name: str, rows: list[dict[str, Any]], *, none: str) -> None:
        """Print rows that share their keys; without any, say `none`."""
        if self._as_json or not rows:
            self.say({name: rows}, none)
            return
        table = Table(*(key.replace("_", " ") for key in rows[0]))
        for row in rows:
            table.add_row(*(escape(_cell(value)) for value in row.values()))
        self._out.print(table)

    def configuration(self, tenants: TenantsFile, catalogue: Catalogue) -> None:
        """Print what a checked configuration holds."""
        document = []
        table = Table("tenant", "status", "sources", "objects")
        for tenant in tenants.tenants.values():
            sources = [source.platform for source in tenant.enabled_sources()]
            objects = sum(len(source.objects) for source in tenant.enabled_sources())
            document.append(
                {
                    "tenant": tenant.slug,
                    "status": tenant.status,
                    "sources": sources,
                    "objects": objects,
                }
            )
            table.add_row(tenant.slug, tenant.status, ", ".join(sources), str(objects))
        self._show({"tenants": document, "connectors": list(catalogue.connectors)}, table)

    @contextmanager
    def landing(self, planned: list[tuple[str, str, str]]) -> Iterator["ProgressCallback"]:
        """Show a bar while objects land."""
        with self._bar() as bar:
            task = bar.add_task("landing", total=len(planned) * 2)

            def tell(step: "LandingProgress") -> None:
                bar.update(
                    task, advance=1, description=f"{step.stage} {step.platform} {step.object}"
                )

            yield tell

    def landed(self, report: "LandingReport") -> None:
        """Print what landed, object by object."""
        table = Table(
            "tenant", "platform", "object", "connection", "received", "landed", "bad rows"
        )
        for row in report.tables:
            table.add_row(
                row.tenant,
                row.platform,
                row.object,
                row.connection,
                f"{row.received:,}",
                f"{row.accepted:,}",
                f"{row.quarantined:,}" if row.quarantined else "",
            )
        self._show(asdict(report), table)
        for row in report.tables:
            if row.erased:
                self.warn(f"{row.table}: {row.erased:,} records of erased persons were dropped")
            for reason, count in list(row.reasons.items())[:5]:
                self._err.print(
                    f"! {row.table}: {count:,} bad rows are kept in quarantine: {reason}",
                    markup=False,
                    soft_wrap=True,
                )
        if report.recovered:
            self._err.print(
                "finished the loads that a killed landing had left: "
                + ", ".join(f"{load.platform} {load.load_id}" for load in report.recovered),
                markup=False,
            )

    @contextmanager
    def running(self, tenants: int) -> Iterator[Listener]:
        """Show a bar while tenants are built."""
        if self._as_json:
            yield Silence()
            return
        with self._bar() as bar:
            yield _RunBar(bar, tenants)

    def ran(self, report: "RunReport") -> None:
        """Print what a run did: tables, facts, stages, and findings on standard error."""
        for finding in report.findings:
            self._err.print(f"! {finding}", markup=False, soft_wrap=True)
        for warning in report.warnings:
            self._err.print(f"! {warning}", markup=False, soft_wrap=True)
        if self._as_json:
            self.say(report.as_document(), "")
            return
        if report.shard:
            self._out.print(f"shard {report.shard}", markup=False)
        if report.unchanged:
            self._out.print(_unchanged(report.unchanged), markup=False)
        ran = report.without_unchanged()
        if ran.tables:
            self._out.print(_tables(ran))
            self._out.print(_facts(ran))
        if ran.marts:
            self._out.print(_marts(ran.marts))
        stages = "  ".join(f"{name} {seconds:.1f} s" for name, seconds in report.stages.items())
        self._out.print(f"stages: {stages}", markup=False)

    def published(
        self, marts: "list[MartReport]", findings: "list[Finding]", warnings: list[str]
    ) -> None:
        """Print what is published of each tenant, and on standard error what is held and why."""
        for told in (*findings, *warnings):
            self._err.print(f"! {told}", markup=False, soft_wrap=True)
        document = {
            "marts": [asdict(mart) for mart in marts],
            "findings": [asdict(finding) for finding in findings],
            "warnings": warnings,
        }
        self._show(document, _marts(marts))

    def audited(self, audits: list[dict[str, Any]], findings: "list[Finding]") -> None:
        """Print what an audit of each tenant compared, and findings on standard error."""
        for finding in findings:
            self._err.print(f"! {finding}", markup=False, soft_wrap=True)
        for audit in audits:
            for what, why in audit["skipped"].items():
                self._err.print(
                    f"- {audit['tenant']}: {what} was not compared: {why}",
                    markup=False,
                    soft_wrap=True,
                )
        if self._as_json:
            self.say({"tenants": audits, "findings": [asdict(f) for f in findings]}, "")
            return
        numbers = ("loads", "pending", "rows", "versions", "sums", "broken", "odd")
        table = Table("tenant", *numbers)
        for column in table.columns[1:]:
            column.justify = "right"
        for audit in audits:
            odd = sum(f.tenant == audit["tenant"] and f.kind != "audit" for f in findings)
            counts = {**audit, "sums": len(audit["totals"]), "broken": audit["broken_promises"]}
            table.add_row(audit["tenant"], *(f"{counts.get(n, odd):,}" for n in numbers))
        self._out.print(table)

    def scaffolded(
        self,
        changes: dict[str, Changes],
        *,
        dry_run: bool,
        published: list[str] | None = None,
    ) -> None:
        """Print which generated files were, or would be, written and removed."""
        document = {
            name: {
                "written": [str(path) for path in c.written],
                "removed": [str(path) for path in c.removed],
                "kept_edited": [str(path) for path in c.kept_edited],
                "unmarked": [str(path) for path in c.unmarked],
            }
            for name, c in changes.items()
        }
        lines = [f"published: {shape}" for shape in published or []]
        would = "would be " if dry_run else ""
        for name, c in changes.items():
            lines.append(
                f"{name}: {len(c.written)} files {would}written, {len(c.removed)} {would}removed"
            )
            if dry_run:
                lines += [f"  {path}" for path in (*c.written, *c.removed)]
            lines += [
                f"  kept, because it was edited by hand: {path} (--force overwrites it)"
                for path in c.kept_edited
            ]
            lines += [
                f"  not touched, because it has no generator's mark: {path}" for path in c.unmarked
            ]
        self.say({"published": published or [], "files": document}, "\n".join(lines))

    def _show(self, document: Any, table: Table) -> None:
        if self._as_json:
            self.say(document, "")
        else:
            self._out.print(table)

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._err,
            transient=True,
            disable=self._as_json or not self._err.is_terminal,
        )


class _RunBar:
    def __init__(self, bar: Progress, tenants: int) -> None:
        self._bar = bar
        self._task = bar.add_task("check", total=tenants)
        self._tenant = ""
        self._begun = 0

    def tenant(self, slug: str) -> None:
        self._tenant = slug
        self._bar.update(self._task, completed=self._begun)
        self._begun += 1

    def stage(self, name: str) -> None:
        self._bar.update(self._task, description=f"{self._tenant} {name}".strip())

    def model(self, name: str) -> None:
        self._bar.update(self._task, description=f"{self._tenant} {name}")


def _unchanged(slugs: list[str]) -> str:
    named = ", ".join(slugs[:MAX_NAMED])
    more = f" and {len(slugs) - MAX_NAMED:,} more" if len(slugs) > MAX_NAMED else ""
    return f"nothing new, so nothing was built: {named}{more}; martlet run --full runs all"


def _tables(report: "RunReport") -> Table:
    table = Table(
        "tenant", "platform", "object", "landed", "pushed", "known", "quarantined", "route"
    )
    for column in table.columns[3:7]:
        column.justify = "right"
    for row in report.tables:
        named = row.object if row.connection == "main" else f"{row.object} ({row.connection})"
        table.add_row(
            row.tenant,
            row.platform,
            named,
            f"{row.landed:,}",
            f"{row.pushed:,}",
            f"{row.known:,}",
            f"{row.quarantined:,}",
            row.status,
        )
    return table


def _facts(report: "RunReport") -> Table:
    table = Table("tenant", "fact", "rows", "totals")
    table.columns[2].justify = "right"
    for fact in report.facts:
        totals = "\n".join(
            f"{currency}: "
            + ", ".join(f"{name} {_readable(value)}" for name, value in sums.items())
            for currency, sums in fact.totals.items()
        )
        table.add_row(fact.tenant, fact.fact, f"{fact.rows:,}", totals)
    return table


def _marts(marts: "list[MartReport]") -> Table:
    table = Table("tenant", "published version", "state", "held platforms")
    for mart in marts:
        state = "HELD" if mart.held else "new" if mart.is_new else mart.reason or "unchanged"
        table.add_row(mart.tenant, mart.version or "none", state, ", ".join(mart.held_platforms))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _readable(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{float(value):,.2f}"
