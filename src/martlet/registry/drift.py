"""What a difference between a landed shape and a known one means, for push and for publication."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import permutations
from typing import Literal

from martlet.registry.blueprints import Blueprint, key_heads, needed_heads
from martlet.registry.fingerprint import LandedShape, fold_name, type_family

Push = Literal["route", "warning", "error", "quarantine"]
Publication = Literal["yes", "check", "hold"]

_WIDTH = {
    name: width
    for family in (
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        ("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
        ("FLOAT", "DOUBLE"),
    )
    for width, name in enumerate(family)
}
# The digits that a whole number may have, and those that a float keeps exactly.
_DIGITS = {
    "TINYINT": 3,
    "SMALLINT": 5,
    "INTEGER": 10,
    "BIGINT": 19,
    "HUGEINT": 39,
    "UTINYINT": 3,
    "USMALLINT": 5,
    "UINTEGER": 10,
    "UBIGINT": 20,
    "UHUGEINT": 39,
    "FLOAT": 7,
    "DOUBLE": 15,
}
_WIDENED: tuple[Push, Publication, str] = ("route", "yes", "widened")
_NARROWED: tuple[Push, Publication, str] = ("warning", "check", "narrowed")
_REDATED: tuple[Push, Publication, str] = ("warning", "check", "date or zone changed")
# From one family of types to another; what is not listed here is doubted: number to text.
_FAMILY_CHANGES: dict[tuple[str, str], tuple[Push, Publication, str]] = {
    ("int", "float"): _WIDENED,
    ("int", "decimal"): _WIDENED,
    ("float", "decimal"): _WIDENED,
    ("float", "int"): _NARROWED,
    ("decimal", "int"): _NARROWED,
    ("decimal", "float"): _NARROWED,
    **dict.fromkeys(permutations(("date", "ts", "tstz"), 2), _REDATED),
}


@dataclass(frozen=True)
class Difference:
    """One difference of one column, what it does to the push, and to the facts that need it."""

    column: str
    change: str
    before: str | None
    after: str | None
    push: Push
    publication: Publication

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.column}: added as {self.after}"
        if self.after is None:
            return f"{self.column}: {self.before} removed"
        return f"{self.column}: published {self.before}, landed {self.after} ({self.change})"


def differences(shape: LandedShape, blueprint: Blueprint) -> tuple[Difference, ...]:
    """Return how the landed shape differs from a known one, the worst first."""
    published = {fold_name(name): (name, kind) for name, kind in blueprint.columns}
    landed = {fold_name(name): (name, kind) for name, kind in shape.columns}
    keys = key_heads(blueprint)
    needed = needed_heads(blueprint)
    found = [
        Difference(landed[name][0], "added", None, landed[name][1], "route", "yes")
        for name in landed.keys() - published.keys()
    ]
    found += [
        _removed(published[name], name, frozenset(landed), keys, needed)
        for name in published.keys() - landed.keys()
    ]
    for name in published.keys() & landed.keys():
        before, after = published[name][1], landed[name][1]
        if before != after:
            is_key = any(name in heads for heads in keys)
            found.append(_retyped(landed[name][0], before, after, is_key=is_key))
    order = {"quarantine": 0, "error": 1, "warning": 2, "route": 3}
    return tuple(sorted(found, key=lambda d: (order[d.push], d.column)))


def likely_renames(found: tuple[Difference, ...]) -> tuple[tuple[str, str], ...]:
    """Return (landed, published) names of which one may be the other's new name.

    A suggestion for a person, never a route: the types agree, and the names resemble each other or
    there is one candidate only. Published names that nothing needs are left out.
    """
    added = [d for d in found if d.before is None]
    pairs = []
    for gone in found:
        if gone.after is not None or gone.push == "route":
            continue
        fitting = [d.column for d in added if _may_hold(str(d.after), str(gone.before))]
        close = get_close_matches(gone.column, fitting, n=1, cutoff=0.5) or fitting
        if len(close) == 1:
            pairs.append((close[0], gone.column))
    return tuple(pairs)


def _may_hold(landed: str, published: str) -> bool:
    """Say whether a column may hold what another held; what a contract does not know is JSON."""
    return type_family(landed) in (type_family(published), "json")


def _removed(
    column: tuple[str, str],
    folded: str,
    present: frozenset[str],
    keys: tuple[frozenset[str], ...],
    needed: tuple[frozenset[str], ...],
) -> Difference:
    name, kind = column
    if any(folded in heads and not heads & present for heads in keys):
        return Difference(name, "key removed", kind, None, "quarantine", "hold")
    if any(folded in heads and not heads & present for heads in needed):
        return Difference(name, "needed column removed", kind, None, "error", "hold")
    return Difference(name, "removed", kind, None, "route", "yes")


def _retyped(name: str, before: str, after: str, *, is_key: bool) -> Difference:
    families = type_family(before), type_family(after)
    if families[0] == families[1]:
        if _is_wider(before, after):
            return Difference(name, "widened", before, after, "route", "yes")
        return Difference(name, "narrowed", before, after, "warning", "check")
    if is_key:
        return Difference(name, "key of another family", before, after, "quarantine", "hold")
    push, publication, change = _FAMILY_CHANGES.get(families, ("error", "check", "type changed"))
    if (
        families[0] == "int"
        and change == "widened"
        and _whole_digits(after) < _whole_digits(before)
    ):
        push, publication, change = _NARROWED
    return Difference(name, change, before, after, push, publication)


def _is_wider(before: str, after: str) -> bool:
    if before in _WIDTH and after in _WIDTH:
        loses_sign = after.startswith("U") and not before.startswith("U")
        return _WIDTH[after] > _WIDTH[before] and not loses_sign
    old, new = _precision(before), _precision(after)
    if old and new:
        return new[1] == old[1] and new[0] > old[0]
    return False


def _whole_digits(kind: str) -> int:
    """Return how many digits before the point a number of this type keeps exactly."""
    precision = _precision(kind)
    return precision[0] - precision[1] if precision else _DIGITS.get(kind, 0)


def _precision(kind: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    return (int(match.group(1)), int(match.group(2))) if match else None
