"""The tenants of `tenants.yaml`, checked against the catalogue and against each other."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Strict, ValidationError

from martlet import naming
from martlet.config.alerts import AlertChannel, read_alerts
from martlet.config.catalogue import Catalogue
from martlet.config.problems import (
    ConfigModel,
    Location,
    Problem,
    bad_file,
    problems_of,
    top_level_problems,
)
from martlet.config.stanzas import read_tenant
from martlet.config.tenant import (
    Connection,
    Filter,
    Generation,
    Source,
    TableLogic,
    Tenant,
    canonical_json,
)
from martlet.config.text import Slug, Text
from martlet.config.yaml_reader import collector_paused, read_yaml
from martlet.errors import BadInputError, nearest

__all__ = [
    "AlertChannel",
    "Connection",
    "Filter",
    "Generation",
    "SharedLanding",
    "Source",
    "TableLogic",
    "Tenant",
    "TenantsFile",
    "load_tenants",
    "load_tenants_leniently",
]

TOP_LEVEL_KEYS = ("version", "alerts", "shared_landings", "tenants")


class SharedLanding(ConfigModel):
    """A table in the schema `shared` that holds the accounts of several tenants.

    Each row belongs to the tenant whose connection lists the account in `account_column`; the rows
    of an account that nobody lists belong to `_unassigned`.
    """

    table: Annotated[str, Strict(), Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,126}$")]
    platform: Slug
    object: Slug
    account_column: Annotated[str, Strict(), Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,126}$")]
    loader: Text = "native"


class TenantsFile(ConfigModel):
    """All valid tenants of one file, in its order."""

    path: Path
    tenants: dict[str, Tenant]
    shared_landings: tuple[SharedLanding, ...] = ()
    alerts: tuple[AlertChannel, ...] = ()

    def active(self) -> tuple[Tenant, ...]:
        """Return the tenants that runs are for."""
        return tuple(tenant for tenant in self.tenants.values() if tenant.is_active)

    def tenant(self, slug: str, *, require_active: bool = False) -> Tenant:
        """Return one tenant; raises `BadInputError` when unknown, or disabled but needed."""
        found = self.tenants.get(slug)
        if found is None:
            raise BadInputError(
                f"unknown tenant {slug!r}; {nearest(slug, self.tenants)}",
                where=str(self.path),
                remedy=f"name a tenant of {self.path.name}, or add this one to it",
            )
        if require_active and not found.is_active:
            raise BadInputError(
                f"tenant {slug!r} is disabled",
                where=str(self.path),
                remedy=f"set tenants.{slug}.status to active",
            )
        return found

    def disputed_accounts(self, platform: str) -> frozenset[str]:
        """Return the accounts that several active tenants claim: their rows belong to nobody."""
        return self._disputed.get(platform, frozenset())

    @cached_property
    def _disputed(self) -> dict[str, frozenset[str]]:
        """Hold the disputed accounts by platform: asked for once a tenant, counted once a file."""
        owners: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for tenant in self.active():
            for source in tenant.enabled_sources():
                for account in _accounts(tenant, source.platform):
                    owners[source.platform][account].add(tenant.slug)
        return {
            platform: frozenset(account for account, slugs in claims.items() if len(slugs) > 1)
            for platform, claims in owners.items()
        }

    def digest(self, slug: str) -> str:
        """Return the MD5 of all that shapes a tenant's generated files and facts."""
        return hashlib.md5(
            canonical_json(self._shaping(slug)).encode(), usedforsecurity=False
        ).hexdigest()

    def _shaping(self, slug: str) -> dict[str, Any]:
        tenant = self.tenant(slug)
        shared = [
            {
                **landing.model_dump(),
                "accounts": {
                    account: connection
                    for account, connection in _accounts(tenant, landing.platform).items()
                    if account not in self.disputed_accounts(landing.platform)
                },
            }
            for landing in self.shared_landings
            if _reads(tenant, landing)
        ]
        return {**tenant.effective_config(), "shared_landings": shared}

    def tenant_json(self, slug: str) -> str:
        """Return what dbt reads of a tenant: canonical JSON, every default filled in.

        To what `digest` covers it adds the name and the digest itself.
        """
        return canonical_json(
            {
                **self._shaping(slug),
                "name": self.tenant(slug).name,
                "digest": self.digest(slug),
            }
        )


def load_tenants(path: Path, catalogue: Catalogue) -> TenantsFile:
    """Return all tenants; raises one `BadInputError` that lists all problems of the file."""
    file, problems = _read_quickly(path, catalogue)
    found = problems.pop(None, [])
    for tenant_problems in problems.values():
        found += tenant_problems
    if found:
        raise bad_file(path, found)
    return file


def load_tenants_leniently(
    path: Path, catalogue: Catalogue
) -> tuple[TenantsFile, dict[str, BadInputError]]:
    """Return the valid tenants, and the error of each invalid one by its slug.

    Raises `BadInputError` only for what concerns the whole file.
    """
    file, problems = _read_quickly(path, catalogue)
    of_the_file = problems.pop(None, [])
    if of_the_file:
        raise bad_file(path, of_the_file)
    errors = {str(slug): bad_file(path, found) for slug, found in problems.items()}
    valid = {slug: tenant for slug, tenant in file.tenants.items() if slug not in errors}
    return file.model_copy(update={"tenants": valid}), errors


Problems = dict[str | None, list[Problem]]  # by tenant; None: of the whole file


def _read_quickly(path: Path, catalogue: Catalogue) -> tuple[TenantsFile, Problems]:
    with collector_paused():
        return _read(path, catalogue)


def _read(path: Path, catalogue: Catalogue) -> tuple[TenantsFile, Problems]:
    document = read_yaml(path)
    problems: Problems = defaultdict(list)
    problems[None] += _file_problems(document)
    alerts = read_alerts(document.get("alerts"), problems[None])
    landings = _read_landings(document.get("shared_landings"), catalogue, problems[None])
    tenants: dict[str, Tenant] = {}
    stanzas = document.get("tenants")
    for slug, stanza in stanzas.items() if isinstance(stanzas, dict) else ():
        tenant, found = read_tenant(slug, stanza, catalogue)
        if tenant is not None:
            tenants[slug] = tenant
        if found:
            problems[slug] += found
    for slug, problem in _conflicts(tenants, catalogue):
        problems[slug].append(problem)
    file = TenantsFile(path=path, tenants=tenants, shared_landings=landings, alerts=alerts)
    return file, problems


def _file_problems(document: dict[str, Any]) -> list[Problem]:
    problems = top_level_problems(document, TOP_LEVEL_KEYS)
    if "tenants" not in document:
        problems.append(Problem(("tenants",), "this key is required"))
    elif not isinstance(document["tenants"], dict | None):
        reason = "must be a mapping of tenant slugs to tenants"
        problems.append(Problem(("tenants",), reason, document["tenants"]))
    return problems


def _read_landings(
    entries: Any, catalogue: Catalogue, problems: list[Problem]
) -> tuple[SharedLanding, ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list):
        problems.append(Problem(("shared_landings",), "must be a list", entries))
        return ()
    landings: list[SharedLanding] = []
    for position, entry in enumerate(entries):
        location: Location = ("shared_landings", position)
        try:
            landing = SharedLanding.model_validate(entry)
        except ValidationError as error:
            problems += problems_of(error, SharedLanding, location)
            continue
        connector = catalogue.connectors.get(landing.platform)
        if connector is None:
            reason = f"unknown connector; {nearest(landing.platform, catalogue.connectors)}"
            problems.append(Problem((*location, "platform"), reason, landing.platform))
        elif landing.object not in connector.objects:
            reason = f"unknown object; {nearest(landing.object, connector.objects)}"
            problems.append(Problem((*location, "object"), reason, landing.object))
        if any(landing.table.lower() == other.table.lower() for other in landings):
            reason = "this table is declared twice"
            problems.append(Problem((*location, "table"), reason, landing.table))
        landings.append(landing)
    return tuple(landings)


def _conflicts(tenants: dict[str, Tenant], catalogue: Catalogue) -> Iterator[tuple[str, Problem]]:
    """Give the names that two tenants cannot both have, once for each of them."""
    claims: dict[str, set[str]] = defaultdict(set)
    for slug in tenants:
        for platform in catalogue.connectors:
            claims[naming.source_name(slug, platform)].add(slug)
    for claimed, owners in claims.items():
        for slug in sorted(owners) if len(owners) > 1 else ():
            others = ", ".join(repr(other) for other in sorted(owners - {slug}))
            reason = f"its tables would be named {claimed!r}, like those of {others}; rename one"
            yield slug, Problem(("tenants", slug), reason)


def _accounts(tenant: Tenant, platform: str) -> dict[str, str]:
    return {
        account: connection.slug
        for connection in tenant.sources[platform].connections.values()
        for account in connection.accounts
    }


def _reads(tenant: Tenant, landing: SharedLanding) -> bool:
    source = tenant.sources.get(landing.platform)
    return source is not None and source.enabled and landing.object in source.objects
