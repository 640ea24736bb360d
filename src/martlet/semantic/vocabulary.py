"""What may be asked of a tenant: the typed view of a definition, and of nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from martlet.errors import nearest
from martlet.semantic.errors import UnknownFieldError, UnknownModelError
from martlet.semantic.requests import Grain
from martlet.semantic.standard.concepts import MONEY_UNITS, fields_of

GRAINS: tuple[str, ...] = get_args(Grain)
_GRAIN_MARK = " Grain: "


@dataclass(frozen=True)
class DimensionTerm:
    """One dimension. That of a joined model has its name before a dot, and is `joined_model`'s."""

    name: str
    label: str
    type: str
    description: str
    is_personal: bool = False
    is_time: bool = False
    grains: tuple[str, ...] = ()
    joined_model: str | None = None


@dataclass(frozen=True)
class MeasureTerm:
    """One measure.

    `is_money` also tells ratios that mean something in one currency only. `base_measures` are the
    aggregates that it is made of, itself where it is one, and `columns` what those read.
    """

    name: str
    label: str
    type: str
    unit: str
    description: str
    is_claimed: bool = False
    is_blended: bool = False
    is_money: bool = False
    base_measures: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()

    @property
    def is_ratio(self) -> bool:
        """Say whether it is made of other measures."""
        return self.base_measures != (self.name,)


@dataclass(frozen=True)
class ModelTerms:
    """One model: all names that a question to it may hold. `joins` are the models joined to it."""

    name: str
    description: str
    grain: str
    relation: str
    time_dimension: str | None
    joins: tuple[str, ...] = ()
    dimensions: dict[str, DimensionTerm] = field(default_factory=dict)
    measures: dict[str, MeasureTerm] = field(default_factory=dict)

    def dimension(self, name: str) -> DimensionTerm:
        """Return a dimension; raises `UnknownFieldError` with the nearest one of this model."""
        found = self.dimensions.get(name)
        if found is None:
            hint = "it is a measure" if name in self.measures else nearest(name, self.dimensions)
            raise self._unknown("dimension", name, hint)
        return found

    def measure(self, name: str) -> MeasureTerm:
        """Return a measure; raises `UnknownFieldError` with the nearest one of this model."""
        found = self.measures.get(name)
        if found is None:
            hint = "it is a dimension" if name in self.dimensions else nearest(name, self.measures)
            raise self._unknown("measure", name, hint)
        return found

    def find(self, name: str) -> DimensionTerm | MeasureTerm:
        """Return the dimension or measure; raises `UnknownFieldError` with the nearest field."""
        found = self.dimensions.get(name) or self.measures.get(name)
        if found is None:
            hint = nearest(name, [*self.dimensions, *self.measures])
            raise self._unknown("dimension or measure", name, hint)
        return found

    def time(self, name: str | None) -> DimensionTerm:
        """Return a dimension of time, by default the model's own day.

        Raises `UnknownFieldError` where it is none, or where the model has no day of its own.
        """
        moments = [term.name for term in self.dimensions.values() if term.is_time]
        if name is None:
            if self.time_dimension is None:
                what = f"model {self.name!r} has no day of its own; name a field of time"
                raise UnknownFieldError(f"{what}; {nearest('', moments)}", field="time.field")
            return self.dimensions[self.time_dimension]
        term = self.dimension(name)
        if not term.is_time:
            raise UnknownFieldError(
                f"dimension {name!r} of model {self.name!r} is {term.type}, no time; "
                f"{nearest(name, moments)}",
                field=name,
            )
        return term

    def _unknown(self, kind: str, name: str, hint: str) -> UnknownFieldError:
        return UnknownFieldError(f"model {self.name!r} has no {kind} {name!r}; {hint}", field=name)


@dataclass(frozen=True)
class Vocabulary:
    """All models of one tenant's definition."""

    models: dict[str, ModelTerms]

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> "Vocabulary":
        """Return the vocabulary of a definition in Boring Semantic Layer's format."""
        own = {name: _dimensions(model) for name, model in definition.items()}
        return cls({name: _model(name, model, own) for name, model in definition.items()})

    def model(self, name: str) -> ModelTerms:
        """Return a model; raises `UnknownModelError` with the nearest one."""
        found = self.models.get(name)
        if found is None:
            what = f"there is no model {name!r}; {nearest(name, self.models)}"
            raise UnknownModelError(what, field="model")
        return found

    def dimension(self, model: str, name: str) -> DimensionTerm:
        """Return a model's dimension; raises `UnknownModelError` or `UnknownFieldError`."""
        return self.model(model).dimension(name)

    def measure(self, model: str, name: str) -> MeasureTerm:
        """Return a model's measure; raises `UnknownModelError` or `UnknownFieldError`."""
        return self.model(model).measure(name)


def _model(
    name: str, model: Mapping[str, Any], own: Mapping[str, dict[str, DimensionTerm]]
) -> ModelTerms:
    joins = model.get("joins") or {}
    dimensions = dict(own[name])
    for alias, join in joins.items():
        for term in own[join["model"]].values():
            joined = f"{alias}.{term.name}"
            dimensions[joined] = DimensionTerm(
                name=joined,
                label=term.label,
                type=term.type,
                description=term.description,
                is_personal=term.is_personal,
                is_time=term.is_time,
                grains=term.grains,
                joined_model=join["model"],
            )
    description, _, grain = model["description"].partition(_GRAIN_MARK)
    days = [
        dimension
        for dimension, stated in model["dimensions"].items()
        if stated["metadata"].get("default_time")
    ]
    return ModelTerms(
        name=name,
        description=description,
        grain=grain.removesuffix("."),
        relation=model["table"],
        time_dimension=days[0] if days else None,
        joins=tuple(joins),
        dimensions=dimensions,
        measures=_measures(model),
    )


def _dimensions(model: Mapping[str, Any]) -> dict[str, DimensionTerm]:
    terms = {}
    for name, stated in model["dimensions"].items():
        metadata = stated["metadata"]
        is_time = stated.get("is_time_dimension", False)
        terms[name] = DimensionTerm(
            name=name,
            label=metadata["label"],
            type=metadata["type"],
            description=stated["description"],
            is_personal=metadata.get("personal", False),
            is_time=is_time,
            grains=GRAINS if is_time else (),
        )
    return terms


def _measures(model: Mapping[str, Any]) -> dict[str, MeasureTerm]:
    aggregates: Mapping[str, Any] = model.get("measures") or {}
    ratios: Mapping[str, Any] = model.get("calculated_measures") or {}

    def bases(name: str) -> tuple[str, ...]:
        if name in aggregates:
            return (name,)
        parts = sorted(fields_of(ratios[name]["expr"]))
        return tuple(dict.fromkeys(base for part in parts for base in bases(part)))

    return {
        name: _measure(name, stated, {base: aggregates[base] for base in bases(name)})
        for name, stated in (*aggregates.items(), *ratios.items())
    }


def _measure(name: str, stated: Mapping[str, Any], bases: Mapping[str, Any]) -> MeasureTerm:
    metadata = stated["metadata"]
    below = [base["metadata"] for base in bases.values()]
    is_money = any(part["unit"] in MONEY_UNITS for part in (metadata, *below))
    return MeasureTerm(
        name=name,
        label=metadata["label"],
        type=metadata["type"],
        unit=metadata["unit"],
        description=stated["description"],
        is_claimed=any(part.get("claimed", False) for part in (metadata, *below)),
        is_blended=metadata.get("blended", False),
        is_money=is_money or metadata.get("of_money", False),
        base_measures=tuple(bases),
        columns=frozenset().union(*(fields_of(base["expr"]) for base in bases.values())),
    )
