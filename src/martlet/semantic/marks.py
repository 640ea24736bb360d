"""Where values go in compiled SQL: marks that stand for them until the SQL is text.

ibis has no named parameters for DuckDB, so a value is compiled as a literal that nobody can guess,
and the literal is then replaced. All of it is ours; nothing of a request is in the SQL.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from martlet.semantic.typed import CASTS, Kind

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from sqlglot import Expr

CATALOG = "catalog"
LIMIT = "limit"
OFFSET = "offset"
_NAME = "[a-z]+[0-9]*"
_IN_PLACE = frozenset({CATALOG, LIMIT, OFFSET})


@dataclass(frozen=True)
class Slot:
    """A place in SQL for what is put in when it runs; `cast` is the type of each of a list."""

    name: str
    cast: str | None = None
    is_list: bool = False


@dataclass(frozen=True)
class Template:
    """SQL in pieces, with slots between them."""

    pieces: tuple[str | Slot, ...]

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the values that are bound to it."""
        slots = {piece.name for piece in self.pieces if isinstance(piece, Slot)}
        return frozenset(slots - _IN_PLACE)

    def renamed(self, names: Mapping[str, str]) -> "Template":
        """Return it with other names for some values."""
        return Template(
            tuple(
                Slot(names.get(piece.name, piece.name), piece.cast, piece.is_list)
                if isinstance(piece, Slot)
                else piece
                for piece in self.pieces
            )
        )

    def filled(
        self, values: Mapping[str, Any], *, catalog: str | None, limit: int = 0, offset: int = 0
    ) -> tuple[str, dict[str, Any]]:
        """Return the SQL and the values to bind; without a catalog tables have their bare names."""
        texts: list[str] = []
        bound: dict[str, Any] = {}
        own = {LIMIT: str(limit), OFFSET: str(offset), CATALOG: f'"{catalog}"'}
        is_after_catalog = False
        for piece in self.pieces:
            if isinstance(piece, str):
                texts.append(piece.removeprefix('."main".') if is_after_catalog else piece)
            elif piece.name not in own:
                texts.append(_bind(piece, values[piece.name], bound))
            elif piece.name != CATALOG or catalog is not None:
                texts.append(own[piece.name])
            is_after_catalog = piece == Slot(CATALOG) and catalog is None
        return "".join(texts), bound


def _bind(slot: Slot, value: Any, bound: dict[str, Any]) -> str:
    if not slot.is_list:
        bound[slot.name] = value
        return f"${slot.name}"
    places = []
    for number, each in enumerate(value):
        name = f"{slot.name}_{number}"
        bound[name] = each
        places.append(f"CAST(${name} AS {slot.cast})" if slot.cast else f"${name}")
    return ", ".join(places)


class Marks:
    """The marks of one compiler; nobody can guess them."""

    def __init__(self) -> None:
        self._prefix = f"mark{secrets.token_hex(16)}"
        self._mark = re.compile(rf"\"?{self._prefix}(one|all)_({_NAME})_([^_]*)_\"?")

    @property
    def catalog(self) -> str:
        """Return the mark of the catalog that tables are in."""
        return self._text("one", CATALOG)

    def value(self, name: str, kind: Kind) -> "ir.Scalar":
        """Return the expression that stands for a value."""
        import ibis

        literal = ibis.literal(self._text("one", name))
        return literal if kind == "text" else literal.cast(CASTS[kind])

    def template(self, sql: str, expected: frozenset[str]) -> Template:
        """Return SQL with its marks as slots, and its limit as one.

        Raises `RuntimeError` unless exactly the expected values are marked in it.
        """
        import sqlglot
        from sqlglot import exp

        tree = sqlglot.parse_one(sql, read="duckdb")
        for clause in (LIMIT, OFFSET):
            if tree.args.get(clause):
                tree.args[clause].set("expression", exp.Var(this=self._text("one", clause)))
        for chosen in list(tree.find_all(exp.In)):
            self._mark_list(chosen)
        for literal in list(tree.find_all(exp.Literal)):
            if literal.is_string and literal.this.startswith(self._prefix):
                literal.replace(exp.Var(this=literal.this))
        template = Template(self._split(tree.sql(dialect="duckdb", pretty=True)))
        if template.names != expected:
            raise RuntimeError(f"values {sorted(template.names ^ expected)} are not where expected")
        return template

    def _mark_list(self, chosen: "Expr") -> None:
        """Mark the one value of `x in (value)` as the place of a list."""
        from sqlglot import exp

        for element in chosen.expressions:
            literal = element.find(exp.Literal)
            found = self._mark.fullmatch(literal.this) if literal else None
            if found:
                cast = element.to.sql(dialect="duckdb") if isinstance(element, exp.Cast) else ""
                element.replace(exp.Var(this=self._text("all", found[2], cast)))

    def _text(self, extent: str, name: str, cast: str = "") -> str:
        return f"{self._prefix}{extent}_{name}_{cast}_"

    def _split(self, sql: str) -> tuple[str | Slot, ...]:
        pieces: list[str | Slot] = []
        end = 0
        for found in self._mark.finditer(sql):
            pieces.append(sql[end : found.start()])
            pieces.append(Slot(found[2], found[3] or None, found[1] == "all"))
            end = found.end()
        pieces.append(sql[end:])
        if any(self._prefix in piece for piece in pieces if isinstance(piece, str)):
            raise RuntimeError("a mark is left in compiled SQL")
        return tuple(piece for piece in pieces if piece != "")
