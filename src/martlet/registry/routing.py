"""Routing: which master model a landed table belongs to, or why it is quarantined.

What a table is declared to be comes from the tenant's configuration, never from its name; whether
it is that is decided by its physical shape.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from martlet.errors import MartletError
from martlet.registry.blueprints import Blueprint
from martlet.registry.drift import Difference, differences
from martlet.registry.fingerprint import LandedShape, fold_name, landed_shape

Verdict = Literal[
    "exact", "family", "diff", "identity_conflict", "key_changed", "unreadable", "unknown"
]
LEARNED: frozenset[Verdict] = frozenset({"family", "diff"})
ROUTED: frozenset[Verdict] = frozenset({"exact", *LEARNED})

# A table of which most columns are strange is not the declared object in a new version.
_MIN_SHARED = 0.5


@dataclass(frozen=True)
class Declaration:
    """What the configuration says a landed table is."""

    tenant: str
    platform: str
    object: str
    connection: str
    schema: str
    table: str


@dataclass(frozen=True)
class Route:
    """The decision on one landed table."""

    declaration: Declaration
    verdict: Verdict
    shape: LandedShape | None
    blueprint: Blueprint | None
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    rejected_because: str = ""  # an operator has said that it stays where it is

    @property
    def is_routed(self) -> bool:
        """Say whether the table may be pushed."""
        return self.verdict in ROUTED

    @property
    def is_learned(self) -> bool:
        """Say whether the shape was routed without having been known."""
        return self.verdict in LEARNED


def route_table(
    declaration: Declaration, columns: Mapping[str, str], blueprints: Iterable[Blueprint]
) -> Route:
    """Return the route of a landed table whose catalogue lists `columns` (name to type)."""
    try:
        shape = landed_shape(columns)
    except MartletError as error:
        return Route(declaration, "unreadable", None, None, reason=error.what)
    known = tuple(blueprints)
    declared = [b for b in known if b.identity == (declaration.platform, declaration.object)]
    exact = [b for b in known if b.source_schema_hash == shape.source_schema_hash]
    for blueprint in exact:
        if blueprint in declared:
            return Route(declaration, "exact", shape, blueprint)
    if exact:
        return _identity_conflict(declaration, shape, exact[0])
    for blueprint in declared:
        if blueprint.schema_family_hash == shape.schema_family_hash:
            return Route(declaration, "family", shape, blueprint, differences(shape, blueprint))
    return _nearest_route(declaration, shape, declared, known)


def _identity_conflict(declaration: Declaration, shape: LandedShape, other: Blueprint) -> Route:
    return Route(
        declaration,
        "identity_conflict",
        shape,
        other,
        reason=(
            f"it is declared as {declaration.platform} {declaration.object}, but has the shape of "
            f"{other.source_platform} {other.object}"
        ),
    )


def _nearest_route(
    declaration: Declaration,
    shape: LandedShape,
    declared: list[Blueprint],
    known: tuple[Blueprint, ...],
) -> Route:
    ranked = sorted(known, key=lambda b: -_shared(shape, b))
    if not declared:
        return Route(
            declaration,
            "unknown",
            shape,
            ranked[0] if ranked else None,
            reason=f"no shape of {declaration.platform} {declaration.object} is known",
        )
    nearest, found = nearest_version(shape, declared)
    if max(_shared(shape, b) for b in declared) < _MIN_SHARED:
        best = ranked[0]
        if _shared(shape, best) > _MIN_SHARED and best.master_model != nearest.master_model:
            return _identity_conflict(declaration, shape, best)
        return Route(
            declaration,
            "unknown",
            shape,
            nearest,
            found,
            reason=f"most of its columns are unknown to {nearest.source_platform} {nearest.object}",
        )
    if any(d.push == "quarantine" for d in found):
        worst = next(d for d in found if d.push == "quarantine")
        return Route(
            declaration,
            "key_changed",
            shape,
            nearest,
            found,
            reason=f"the key of {nearest.object} is not what it was: {worst}",
        )
    return Route(declaration, "diff", shape, nearest, found)


def nearest_version(
    shape: LandedShape, declared: list[Blueprint]
) -> tuple[Blueprint, tuple[Difference, ...]]:
    """Return the version that most columns agree with in name and type, and what differs.

    Names alone do not tell versions apart: loaders type the same names differently.
    """
    landed = {(fold_name(name), kind) for name, kind in shape.columns}

    def closeness(candidate: tuple[Blueprint, tuple[Difference, ...]]) -> tuple[int, float, int]:
        blueprint, found = candidate
        known = {(fold_name(name), kind) for name, kind in blueprint.columns}
        return len(landed & known), _shared(shape, blueprint), -len(found)

    return max(((b, differences(shape, b)) for b in declared), key=closeness)


def _shared(shape: LandedShape, blueprint: Blueprint) -> float:
    """Return which share of the landed columns the blueprint knows by name."""
    known = {fold_name(name) for name, _ in blueprint.columns}
    return sum(fold_name(name) in known for name, _ in shape.columns) / len(shape.columns)
