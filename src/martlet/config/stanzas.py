"""Reads one tenant's stanza: fills in what the catalogue and the place in the file decide."""

from typing import Any

from pydantic import ValidationError

from martlet import naming
from martlet.config.alerts import repeated_channels
from martlet.config.catalogue import Catalogue, Connector
from martlet.config.problems import (
    NOT_A_MAPPING,
    ConfigModel,
    Location,
    Problem,
    is_derived,
    problems_of,
)
from martlet.config.semantics import semantics_problems
from martlet.config.tenant import Connection, Source, Tenant
from martlet.errors import nearest


def read_tenant(
    slug: str, stanza: Any, catalogue: Catalogue
) -> tuple[Tenant | None, list[Problem]]:
    """Return the tenant of one stanza, or None and everything that is wrong with it."""
    location: Location = ("tenants", slug)
    problems: list[Problem] = []
    bad_slug = naming.tenant_slug_problem(slug)
    if bad_slug:
        suggestion = naming.suggest_slug(slug)
        usable = suggestion and not naming.tenant_slug_problem(suggestion)
        hint = f"; did you mean {suggestion!r}?" if usable else ""
        problems.append(Problem(location, f"{bad_slug}{hint}", slug))
    if not isinstance(stanza, dict):
        problems.append(Problem(location, NOT_A_MAPPING, stanza))
        return None, problems
    filled = {**stanza, "slug": "unnamed" if bad_slug else slug}
    problems += _derived_keys(stanza, Tenant, location)
    sources = stanza.get("sources")
    if isinstance(sources, dict):
        at: Location = (*location, "sources")
        known = {
            platform: _fill_source(platform, source, catalogue.connectors[platform], at, problems)
            for platform, source in sources.items()
            if platform in catalogue.connectors
        }
        problems += [
            Problem(
                (*at, platform), f"unknown connector; {nearest(platform, catalogue.connectors)}"
            )
            for platform in sources
            if platform not in known
        ]
        filled["sources"] = known
        problems += _choose_analytics_source(filled, location)
    try:
        tenant = Tenant.model_validate(filled)
    except ValidationError as error:
        return None, problems + problems_of(error, Tenant, location)
    problems += repeated_channels(tenant.alerts, (*location, "alerts"))
    problems += semantics_problems(tenant.semantics, (*location, "semantics"))
    return (None if problems else tenant), problems


def _fill_source(
    platform: str, stanza: Any, connector: Connector, at: Location, problems: list[Problem]
) -> Any:
    """Return the stanza with what follows from its place and the catalogue."""
    location = (*at, platform)
    stanza = {} if stanza is None else stanza  # 'shopify:' says as much as 'shopify: {}'
    if not isinstance(stanza, dict):
        return stanza
    problems += _derived_keys(stanza, Source, location)
    filled = {"objects": list(connector.objects), **stanza}
    filled |= {"platform": platform, "domain": connector.domain}
    problems += _unknown_objects(filled["objects"], connector, (*location, "objects"))
    if isinstance(filled["objects"], list):
        chosen = filled["objects"]
        ordered = [name for name in connector.objects for _ in range(chosen.count(name))]
        filled["objects"] = ordered + [name for name in chosen if name not in connector.objects]
    for key in ("generation", "tables"):
        if key in filled and filled[key] is None:
            filled[key] = {}
    if isinstance(filled.get("tables"), dict):
        tables = filled["tables"]
        problems += _unknown_objects(list(tables), connector, (*location, "tables"))
        filled["tables"] = {name: {} if table is None else table for name, table in tables.items()}
    if isinstance(filled.get("connections"), dict):
        filled["connections"] = _fill_connections(
            filled["connections"], (*location, "connections"), problems
        )
    return filled


def _fill_connections(
    connections: dict[str, Any], at: Location, problems: list[Problem]
) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for slug, stanza in connections.items():
        bad_slug = naming.slug_problem(slug)
        if bad_slug:
            problems.append(Problem((*at, slug), bad_slug, slug))
        stanza = {} if stanza is None else stanza  # noqa: PLW2901
        if not isinstance(stanza, dict):
            filled[slug] = stanza
            continue
        problems += _derived_keys(stanza, Connection, (*at, slug))
        filled[slug] = {**stanza, "slug": "unnamed" if bad_slug else slug}
        accounts = stanza.get("accounts")
        for account in accounts if isinstance(accounts, list) else ():
            owner = owners.setdefault(str(account), slug)
            if owner != slug:
                reason = f"connection {owner!r} reads this account already"
                problems.append(Problem((*at, slug, "accounts"), reason, account))
    return filled


def _unknown_objects(names: Any, connector: Connector, at: Location) -> list[Problem]:
    if not isinstance(names, list):
        return []
    return [
        Problem(at, f"unknown object of {connector.name}; {nearest(name, connector.objects)}", name)
        for name in names
        if isinstance(name, str) and name not in connector.objects
    ]


def _derived_keys(stanza: dict[str, Any], model: type[ConfigModel], at: Location) -> list[Problem]:
    """Refuse keys that the place in the file or the catalogue already decides."""
    return [
        Problem((*at, name), "unknown key; it follows from the place in the file", stanza[name])
        for name, field in model.model_fields.items()
        if name in stanza and is_derived(field)
    ]


def _choose_analytics_source(filled: dict[str, Any], at: Location) -> list[Problem]:
    """Fill in the only enabled analytics platform; several need a choice."""
    enabled = [
        platform
        for platform, source in filled["sources"].items()
        if isinstance(source, dict)
        and source["domain"] == "analytics"
        and source.get("enabled", True) is not False
    ]
    chosen = filled.get("analytics_source")
    if chosen is None and len(enabled) == 1:
        filled["analytics_source"] = enabled[0]
    elif chosen is None and enabled:
        reason = f"required, as several analytics sources are enabled; valid: {', '.join(enabled)}"
        return [Problem((*at, "analytics_source"), reason)]
    elif isinstance(chosen, str) and chosen not in enabled:
        reason = f"not an enabled analytics source of this tenant; {nearest(chosen, enabled)}"
        return [Problem((*at, "analytics_source"), reason, chosen)]
    return []
