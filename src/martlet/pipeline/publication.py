"""What of a tenant may be published, and what is held, and why.

Pushed is whatever can be told apart; published is only what is not in doubt. The decision is made
from how things are: the shapes that lie in the landing now, how each model and test ended last, the
newest audit. So it is the same in the next run, until what caused it is gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant
from martlet.contracts.library import object_contract
from martlet.pipeline.audit_record import AuditRecord
from martlet.pipeline.cast_nulls import cast_nulls_of_shape, is_view, rows_without_alias
from martlet.pipeline.dbt_run import NodeResult
from martlet.pipeline.findings import Finding
from martlet.pipeline.run_findings import approval, route_remedy
from martlet.registry.blueprints import (
    Blueprint,
    learned_blueprint,
    needed_heads,
    stored_blueprints,
)
from martlet.registry.drift import Difference, differences
from martlet.registry.fingerprint import LandedShape, fold_name
from martlet.registry.routing import Route, nearest_version
from martlet.star_schema import STAR_TABLES, grain_test, isolation_test, star_model

MART = "mart"  # the subject of a finding on the mart as a whole


@dataclass(frozen=True)
class Hold:
    """Why rows stay the last good ones. What an operator has decided is not told again."""

    reason: str
    remedy: str | None = None
    is_decided: bool = False


@dataclass(frozen=True)
class Publication:
    """What is held of a tenant: platforms, of which the rows stay as they were, or all of it."""

    tenant: str
    platforms: Mapping[str, Sequence[Hold]] = field(default_factory=dict)
    mart: Sequence[Hold] = ()

    @property
    def held_platforms(self) -> dict[str, str]:
        """Return the held platforms, each with all its reasons."""
        return {platform: _reasons(holds) for platform, holds in sorted(self.platforms.items())}

    @property
    def reason(self) -> str | None:
        """Return why the whole mart is held, or None when it is not."""
        return _reasons(self.mart) if self.mart else None

    def findings(self) -> Iterator[Finding]:
        """Give what a person should know, the mart first."""
        if self.mart:
            what = f"the published mart stays the last good one: {_reasons(self.mart)}"
            yield Finding("hold", self.tenant, MART, what, _remedies(self.mart))
        for platform, holds in sorted(self.platforms.items()):
            told = [hold for hold in holds if not hold.is_decided]
            if told:
                what = f"the published rows of {platform} stay the last good ones: {_reasons(told)}"
                yield Finding("hold", self.tenant, platform, what, _remedies(told))


def decide_publication(
    warehouse: DuckDBPyConnection,
    tenant: Tenant,
    catalogue: Catalogue,
    *,
    routes: Iterable[Route],
    results: Iterable[NodeResult],
    audit: AuditRecord | None,
) -> Publication:
    """Return what is held of a tenant. The warehouse is only read, landing attached.

    `routes` are those of its landed tables as they are now, `results` how its models and tests
    ended last, `audit` the newest one. A table that has not landed holds nothing.
    """
    ended = tuple(results)
    platforms: dict[str, list[Hold]] = defaultdict(list)
    for platform, hold in _shape_holds(warehouse, tuple(routes)):
        platforms[platform].append(hold)
    for platform, hold in _model_holds(tenant, catalogue, ended):
        platforms[platform].append(hold)
    return Publication(
        tenant.slug,
        {platform: tuple(holds) for platform, holds in platforms.items()},
        (*_star_holds(tenant, ended), *_audit_holds(tenant, audit)),
    )


def _shape_holds(
    warehouse: DuckDBPyConnection, routes: tuple[Route, ...]
) -> Iterator[tuple[str, Hold]]:
    for route in routes:
        if not route.is_routed:
            yield route.declaration.platform, _unroutable(route)
    for route in routes:
        if route.is_routed and route.blueprint and route.blueprint.aliases:
            yield from _pushed_before_alias(warehouse, route)
    doubted = [route for route in routes if route.is_routed and _is_unpublished(route)]
    blueprints = stored_blueprints(warehouse) if doubted else ()
    for route in doubted:
        found = published_differences(route, blueprints)
        if any(d.publication == "hold" for d in found):
            yield route.declaration.platform, _lacking(route, found)
        checked = {fold_name(d.column) for d in found if d.publication == "check"}
        if checked:
            yield from _unreadable(warehouse, route, checked)


def _is_unpublished(route: Route) -> bool:
    """Say whether nobody has published or approved the table's very shape."""
    known = route.blueprint.status if route.blueprint else None
    return route.is_learned or known not in ("published", "approved")


def published_differences(route: Route, blueprints: Iterable[Blueprint]) -> tuple[Difference, ...]:
    """Return how a routed table differs from what is published of its object.

    A learned shape routes as known in the next run: what it lacks is still compared with the
    published shapes. An operator who approved this very shape has taken the doubt away.
    """
    assert route.shape is not None and route.blueprint is not None
    place = (route.declaration.platform, route.declaration.object)
    declared = [b for b in blueprints if b.identity == place]
    own = [b for b in declared if b.source_schema_hash == route.shape.source_schema_hash]
    if any(b.status != "learned" for b in own):
        return ()
    published = [b for b in declared if b.status == "published"]
    known = own[0] if own else learned_blueprint(route.blueprint, route.shape, 0)
    shape = _as_published(route.shape, dict(known.aliases))
    return differences(shape, nearest_version(shape, published)[0])


def _as_published(shape: LandedShape, aliases: Mapping[str, str]) -> LandedShape:
    columns = tuple((aliases.get(name, name), kind) for name, kind in shape.columns)
    return replace(shape, columns=columns)


def _unroutable(route: Route) -> Hold:
    table = route.declaration.table
    if route.rejected_because:
        return Hold(f"{table} was rejected", is_decided=True)
    why = f"{table} is not pushed ({route.verdict}): {route.reason}"
    return Hold(why, route_remedy(route))


def _lacking(route: Route, found: tuple[Difference, ...]) -> Hold:
    names = ", ".join(d.column for d in found if d.publication == "hold")
    d = route.declaration
    return Hold(
        f"{d.table} has no {names}, which the facts need",
        f"correct the loader, then `martlet run --tenant {d.tenant}`; or, if the source changed, "
        f"`{approval(d, found)}`",
    )


def _unreadable(
    warehouse: DuckDBPyConnection, route: Route, checked: set[str]
) -> Iterator[tuple[str, Hold]]:
    assert route.shape is not None
    d = route.declaration
    view = naming.intermediate_model(d.tenant, d.platform, d.object)
    if not is_view(warehouse, view):
        return
    for lost in cast_nulls_of_shape(
        warehouse,
        view,
        object_contract(d.platform, d.object),
        checked,
        connection=d.connection,
        source_schema_hash=route.shape.source_schema_hash,
    ):
        if lost.is_too_many:
            hold = Hold(
                f"{lost.nulls:,} of {lost.stated:,} values of {lost.column} cannot be read since "
                f"{d.table} changed its shape",
                f"correct the loader and land these records again; if null is right for them, "
                f"`{approval(d, ())}`",
            )
            yield d.platform, hold


def _pushed_before_alias(warehouse: DuckDBPyConnection, route: Route) -> Iterator[tuple[str, Hold]]:
    """Give the needed columns that records lack which were pushed before an alias was approved."""
    assert route.shape is not None and route.blueprint is not None
    d = route.declaration
    view = naming.intermediate_model(d.tenant, d.platform, d.object)
    needed = {head for heads in needed_heads(route.blueprint) for head in heads}
    for landed, published in route.blueprint.aliases:
        if fold_name(landed) not in needed or not is_view(warehouse, view):
            continue
        count = rows_without_alias(
            warehouse,
            view,
            landed,
            published,
            connection=d.connection,
            source_schema_hash=route.shape.source_schema_hash,
        )
        if count:
            hold = Hold(
                f"{count:,} records of {d.table} were pushed before {landed} was known as "
                f"{published}",
                "land them again, then `martlet run`; if null is right for them, approve the "
                f"shape once more without the alias: `{approval(d, ())}`",
            )
            yield d.platform, hold


def _model_holds(
    tenant: Tenant, catalogue: Catalogue, results: Iterable[NodeResult]
) -> Iterator[tuple[str, Hold]]:
    """Give the platforms of which a staging or intermediate model, or a test on one, failed."""
    owners = model_platforms(tenant, catalogue)
    stars = {star_model(tenant.slug, table) for table in STAR_TABLES}
    for node in results:
        if node.is_green or stars & {*node.tested}:
            continue
        models = node.tested if node.is_test else (node.name,)
        for platform in dict.fromkeys(owners[model] for model in models if model in owners):
            yield platform, Hold(_ended(node), f"martlet run --tenant {tenant.slug}")


def model_platforms(tenant: Tenant, catalogue: Catalogue) -> dict[str, str]:
    """Return the tenant's staging and intermediate models, each with its platform."""
    return {
        name_of(tenant.slug, source.platform, object_): source.platform
        for source in tenant.enabled_sources()
        for object_ in catalogue.connector(source.platform).objects
        for name_of in (naming.staging_model, naming.intermediate_model)
    }


def _star_holds(tenant: Tenant, results: Iterable[NodeResult]) -> Iterator[Hold]:
    """Give what is wrong with facts and dimensions: not built, not tested, or a test failed."""
    ended = {node.name: node for node in results}
    stars = [star_model(tenant.slug, table) for table in STAR_TABLES]
    holds = [f"{model} was never built" for model in stars if model not in ended]
    for node in ended.values():
        if not node.is_green and not node.is_older and ({node.name, *node.tested} & {*stars}):
            holds.append(_ended(node))
    for model in stars:
        proofs = [ended.get(name_of(model)) for name_of in (grain_test, isolation_test)]
        if model in ended and any(proof is None or proof.is_older for proof in proofs):
            holds.append(f"{model} was not tested since it was built")
    for reason in holds:
        yield Hold(reason, f"martlet run --tenant {tenant.slug}")


def _audit_holds(tenant: Tenant, audit: AuditRecord | None) -> Iterator[Hold]:
    if audit and audit.broken_promises:
        yield Hold(
            f"the audit of {audit.at} found {audit.broken_promises:,} broken promises",
            f"`martlet audit --tenant {tenant.slug}` names them; once it finds none, "
            f"`martlet publish --tenant {tenant.slug}`",
        )


def _ended(node: NodeResult) -> str:
    """Return how it ended. Its message is the operators': reasons are shown to the tenant."""
    return f"{node.name} ended with {node.status}"


def _reasons(holds: Iterable[Hold]) -> str:
    return "; ".join(dict.fromkeys(hold.reason for hold in holds))


def _remedies(holds: Iterable[Hold]) -> str | None:
    return "; ".join(dict.fromkeys(h.remedy for h in holds if h.remedy)) or None
