"""Lands the same deliveries for real and for the oracle, and reads both in the oracle's words."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from martlet.landing.command import land_file
from tests.project import Project
from tests.warehouse.oracle import (
    Contents,
    Counts,
    Identify,
    Load,
    Place,
    Record,
    Replay,
    canonical,
    expected_contents,
    grouped,
)

TENANT = "witness"
TENANTS = {
    TENANT: {
        "name": "Witness",
        "reporting_timezone": "UTC",
        "currency": "USD",
        "sources": {
            "facebook_ads": {"objects": ["facebook_insights"]},
            "shopify": {"objects": ["orders"]},
            "google_analytics": {},
        },
    }
}


@dataclass(frozen=True)
class Kind:
    """An object and what the oracle must know of its records."""

    platform: str
    object: str
    master: str
    identify: Identify | None = None
    place: Place | None = None


def _insight_key(record: Record) -> tuple[str, ...] | None:
    parts = [record[name] for name in ("date_start", "account_id", "campaign_id", "ad_id")]
    return None if None in parts else tuple(parts)


INSIGHTS = Kind(
    "facebook_ads",
    "facebook_insights",
    "platform_mm__facebook_ads_api_v1_facebook_insights",
    identify=_insight_key,
    place=lambda record: (record["account_id"], date.fromisoformat(record["date_start"])),
)
ORDERS = Kind(
    "shopify",
    "orders",
    "platform_mm__shopify_api_v1_orders",
    identify=lambda record: None if record["id"] is None else (record["id"],),
)
EVENTS = Kind(
    "google_analytics",
    "events",
    "platform_mm__google_analytics_api_v1_events",
    place=lambda record: (None, datetime.strptime(record["event_date"], "%Y%m%d").date()),
)


def insight(account: str, spend: str, day: int = 1, ad: str | None = "ad1") -> Record:
    """Return what an account's ad did on a day of March 2024."""
    return {
        "date_start": f"2024-03-{day:02}",
        "date_stop": f"2024-03-{day:02}",
        "account_id": account,
        "account_currency": "USD",
        "campaign_id": "c1",
        "adset_id": "s1",
        "ad_id": ad,
        "spend": spend,
        "impressions": "100",
    }


def order(order_id: int | None, total: str, status: str = "paid") -> Record:
    """Return an order."""
    return {
        "id": order_id,
        "created_at": "2024-03-01T12:00:00Z",
        "currency": "USD",
        "financial_status": status,
        "total_price": total,
    }


def event(user: str, name: str = "view_item", day: int = 1, second: int = 0) -> Record:
    """Return an event of the user's one session; purchases have no number and cost 5 dollars."""
    record: Record = {
        "event_date": f"202403{day:02}",
        "event_timestamp": (1_709_251_200 + second) * 1_000_000,
        "event_name": name,
        "event_params": [{"key": "ga_session_id", "value": {"int_value": 7}}],
        "user_pseudo_id": user,
    }
    return record if name != "purchase" else {**record, "ecommerce": {"purchase_revenue": 5}}


@dataclass
class Witness:
    """A project, and the oracle of each of its landed tables."""

    project: Project
    replays: dict[str, Replay] = field(default_factory=dict)
    _load_ids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _waiting: list[tuple[str, Load]] = field(default_factory=list)

    def land(
        self, kind: Kind, load: Load, *, text: str | None = None, as_command: bool = False
    ) -> None:
        """Land a delivery; `text` is how a CSV file states its records."""
        file = self.project.folder / f"{kind.object}.{'jsonl' if text is None else 'csv'}"
        lines = [json.dumps(record) for record in load.records]
        file.write_text("\n".join(lines) + "\n" if text is None else text)
        landed = _command(self.project, kind, load, str(file)) if as_command else None
        self._load_ids[kind.object].append(landed or _call(self.project, kind, load, file.name))
        self._waiting.append((kind.object, load))
        self.replays.setdefault(kind.object, Replay(kind.identify, kind.place))

    def run(self) -> dict[str, Any]:
        """Run; what has been landed since the last run is pushed."""
        document: dict[str, Any] = self.project.run("--strict")
        for name, load in self._waiting:
            self.replays[name].push(load)
        self._waiting.clear()
        return document

    def expected(self, kind: Kind) -> Contents:
        """Return what the warehouse must hold of an object, as the oracle says."""
        return expected_contents(self.replays[kind.object])

    def contents(self, kind: Kind) -> Contents:
        """Return what the warehouse holds of an object."""
        load_ids = self._load_ids[kind.object]
        columns = "extracted_at, load_id, is_deleted, raw_data_payload"
        versions = self.project.query(
            f"select tenant_skey, load_row, {columns} from platform.{kind.master}"
        )
        newest = self.project.query(
            f"select {columns} from intermediate.int_{TENANT}__{kind.platform}_{kind.object}"
        )
        ledger = self.project.query(
            "select rows_landed, rows_pushed, rows_known, rows_quarantined, rows_tombstoned "
            "from ops.platform_ops__push_ledger where object = ? order by load_id",
            kind.object,
        )
        return Contents(
            versions=grouped(
                [
                    (row["tenant_skey"], (row["load_row"], *_shown(row, load_ids)))
                    for row in versions
                ]
            ),
            newest=sorted(_shown(row, load_ids) for row in newest),
            ledger=[Counts(*row.values()) for row in ledger],
        )

    def prefixes(self, kind: Kind) -> list[tuple[int, int]]:
        """Return the prefix of every version of an object, and that of its day and its key."""
        rows = self.project.query(
            f"select tenant_skey, key_prefix, raw_data_payload from platform.{kind.master}"
        )
        found = []
        for row in rows:
            place = kind.place(json.loads(row["raw_data_payload"])) if kind.place else None
            days = (place[1] - date(1970, 1, 1)).days if place else 0
            found.append((row["key_prefix"], days << 40 | int(row["tenant_skey"][:10], 16)))
        return found

    def expected_facts(self) -> dict[str, Any]:
        """Return the facts that follow from the oracle's newest records."""
        insights, orders, events = (
            self.replays[kind.object].current() if kind.object in self.replays else []
            for kind in (INSIGHTS, ORDERS, EVENTS)
        )
        visitors = sorted({record["user_pseudo_id"] for record in events})
        of_visitor = {
            user: [record for record in events if record["user_pseudo_id"] == user]
            for user in visitors
        }
        return {
            "ad_performance": sorted(
                (r["account_id"], _insight_key(r), Decimal(r["spend"])) for r in insights
            ),
            "orders": sorted(
                (str(r["id"]), Decimal(r["total_price"]), r["financial_status"]) for r in orders
            ),
            "sessions": [
                (user, len(of_user), Decimal(5 * sum("ecommerce" in r for r in of_user)))
                for user, of_user in of_visitor.items()
            ],
        }

    def facts(self) -> dict[str, Any]:
        """Return the facts that the warehouse holds."""
        ads = self.project.query(
            "select account_id, [cast(report_date as varchar), account_id, campaign_id, ad_id], "
            f"spend from analytics.fct_{TENANT}__ad_performance"
        )
        orders = self.project.query(
            f"select order_id, total_price, financial_status from analytics.fct_{TENANT}__orders"
        )
        sessions = self.project.query(
            "select user_pseudo_id, event_count, session_revenue "
            f"from analytics.fct_{TENANT}__sessions"
        )
        return {
            "ad_performance": sorted((a, tuple(key), m) for a, key, m in map(dict.values, ads)),
            "orders": sorted(tuple(row.values()) for row in orders),
            "sessions": sorted(tuple(row.values()) for row in sessions),
        }


def _shown(row: Record, load_ids: list[str]) -> tuple[Any, ...]:
    values = canonical(json.loads(row["raw_data_payload"]))
    return row["extracted_at"], load_ids.index(row["load_id"]), row["is_deleted"], values


def _call(project: Project, kind: Kind, load: Load, file: str) -> str:
    """Land in this process: a process of its own would cost more than the landing."""
    (table,) = land_file(
        project.settings,
        TENANT,
        kind.platform,
        kind.object,
        project.folder / file,
        mode=load.mode,  # type: ignore[arg-type]
        extracted_at=load.extracted_at,
        scope_accounts=sorted(load.scope.accounts) if load.scope else (),
        scope_start=load.scope.start if load.scope else None,
        scope_end=load.scope.end if load.scope else None,
    ).tables
    return table.load_id


def _command(project: Project, kind: Kind, load: Load, file: str) -> str:
    """Land as a user does."""
    document = project.martlet(
        "land",
        TENANT,
        "--platform",
        kind.platform,
        "--object",
        kind.object,
        "--file",
        file,
        "--extracted-at",
        load.extracted_at.isoformat(sep=" "),
        "--json",
    ).document
    (table,) = document["tables"]
    return str(table["load_id"])
