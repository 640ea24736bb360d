"""What a run told of a tenant, kept so that a run without news tells what still holds."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from martlet.pipeline.findings import Finding
from martlet.pipeline.report import FactReport, MartReport, RunReport, TableReport
from martlet.pipeline.shared_landings import UNASSIGNED
from martlet.registry.routing import LEARNED, ROUTED


def as_told(told: RunReport) -> dict[str, Any]:
    """Return what the next run tells of the same tenant where nothing is new.

    Nothing is pushed then, what is held still waits, a learned shape is known, and the published
    version is the one that there is. What happened once is not told twice.
    """
    return {
        "tables": [asdict(_again(table)) for table in told.tables],
        "facts": [asdict(fact) for fact in told.facts],
        "marts": [asdict(_still(mart)) for mart in told.marts],
        "findings": [asdict(finding) for finding in told.findings if not finding.is_event],
    }


def retold(told: Mapping[str, Any]) -> RunReport:
    """Return the report on a tenant without news."""
    return RunReport(
        tables=[TableReport(**table) for table in told["tables"]],
        facts=[FactReport(**fact) for fact in told["facts"]],
        marts=[MartReport(**mart) for mart in told["marts"]],
        findings=[Finding(**finding) for finding in told["findings"]],
    )


def _again(table: TableReport) -> TableReport:
    if table.status in LEARNED:
        table = replace(table, status="exact")
    if table.status not in (*ROUTED, UNASSIGNED):
        return table  # its rows wait
    return replace(table, landed=0, pushed=0, known=0, quarantined=0)


def _still(mart: MartReport) -> MartReport:
    if not mart.is_new:
        return mart
    return replace(mart, is_new=False, reason=f"nothing has changed since {mart.version}")
