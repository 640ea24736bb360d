"""What one tenant is: its sources, connections, table logic and simulator parameters."""

import json
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from martlet import naming
from martlet.config.alerts import AlertChannel
from martlet.config.catalogue import Domain
from martlet.config.filters import Filter, Operator
from martlet.config.problems import DERIVED, ConfigModel
from martlet.config.semantics import Semantics
from martlet.config.text import (
    AccountIds,
    Currency,
    Money,
    Share,
    Slug,
    Slugs,
    Text,
    Texts,
    Timezone,
)

__all__ = [
    "Connection",
    "Filter",
    "Generation",
    "Operator",
    "Source",
    "TableLogic",
    "Tenant",
    "canonical_json",
]

Count = Annotated[int, Strict()]


class TableLogic(ConfigModel):
    """What the tenant means by a conversion and a funnel, and which rows of a table count."""

    conversion_events: Texts = ()
    funnel_steps: Texts = ()
    target_cpa: Money | None = None
    filters: tuple[Filter, ...] = ()


class Generation(ConfigModel):
    """Parameters of the simulator; they change no warehouse result of landed data."""

    campaigns: Count = Field(default=4, ge=1, le=10_000)
    ad_groups_per_campaign: Count = Field(default=3, ge=1, le=1_000)
    ads_per_ad_group: Count = Field(default=2, ge=1, le=1_000)
    daily_spend: Money = Decimal(600)
    orders_per_day: Count = Field(default=40, ge=0, le=10_000_000)
    average_order_value: Money = Decimal(85)
    sessions_per_day: Count = Field(default=900, ge=0, le=100_000_000)
    products: Count = Field(default=30, ge=1, le=1_000_000)
    anonymous_share: Share = 0.15
    refund_rate: Share = 0.04
    seed_offset: Count = Field(default=0, ge=0, le=2**31 - 1)


class Connection(ConfigModel):
    """One login at a platform, with the accounts that it reads."""

    slug: Slug = Field(default=naming.MAIN_CONNECTION, json_schema_extra=DERIVED)
    accounts: AccountIds = ()
    timezone: Timezone | None = None
    currency: Currency | None = None
    conversion_actions: Texts = ()
    attribution_window: Text | None = None

    def effective_timezone(self, tenant: "Tenant") -> str:
        """Return the accounts' own time zone, else the one the tenant reports in."""
        return self.timezone or tenant.reporting_timezone

    def effective_currency(self, tenant: "Tenant") -> str:
        """Return the accounts' own currency, else the tenant's."""
        return self.currency or tenant.currency


class Source(ConfigModel):
    """One platform of a tenant. `objects` follow the catalogue's order."""

    platform: Slug = Field(json_schema_extra=DERIVED)
    domain: Domain = Field(json_schema_extra=DERIVED)
    enabled: Annotated[bool, Strict()] = True
    objects: Slugs = Field(min_length=1)
    connections: dict[str, Connection] = Field(
        default_factory=lambda: {naming.MAIN_CONNECTION: Connection()}, min_length=1
    )
    generation: Generation = Generation()
    tables: dict[str, TableLogic] = Field(default_factory=dict)


class Tenant(ConfigModel):
    """One customer. `analytics_source` is filled in where only one platform can be meant."""

    slug: Slug = Field(json_schema_extra=DERIVED)
    name: Text
    status: Literal["active", "disabled"] = "active"
    reporting_timezone: Timezone
    currency: Currency
    analytics_source: Slug | None = None
    sources: dict[str, Source] = Field(default_factory=dict)
    alerts: tuple[AlertChannel, ...] = ()
    semantics: Semantics = Semantics()

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    def enabled_sources(self, domain: Domain | None = None) -> tuple[Source, ...]:
        """Return the enabled sources, of one domain or of all, in the order of the file."""
        return tuple(
            source
            for source in self.sources.values()
            if source.enabled and domain in (None, source.domain)
        )

    def effective_config(self) -> dict[str, Any]:
        """Return the configuration that shapes the warehouse, with every default filled in."""
        config = self.model_dump(mode="json", exclude={"name", "alerts", "semantics"})
        for platform, source in self.sources.items():
            stanza = config["sources"][platform]
            del stanza["generation"]
            for slug, connection in source.connections.items():
                stanza["connections"][slug]["timezone"] = connection.effective_timezone(self)
                stanza["connections"][slug]["currency"] = connection.effective_currency(self)
        return config


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
