"""What can be asked, as plain documents: models, their dimensions and measures."""

from datetime import date
from typing import Any

from martlet.marts.info import MartInfo
from martlet.semantic.money import NO_PROFILE
from martlet.semantic.typed import kind_of, operators_of
from martlet.semantic.vocabulary import DimensionTerm, MeasureTerm, ModelTerms, Vocabulary


def models_document(vocabulary: Vocabulary, info: MartInfo) -> dict[str, Any]:
    """Return all models, each with the names of its fields."""
    return {
        "tenant": info.tenant,
        "data_version": info.version,
        "models": [
            _head(terms, info)
            | {"dimensions": list(terms.dimensions), "measures": list(terms.measures)}
            for terms in vocabulary.models.values()
        ],
    }


def model_document(terms: ModelTerms, info: MartInfo) -> dict[str, Any]:
    """Return one model with all that its fields mean."""
    return _head(terms, info) | {
        "dimensions": [_dimension(term) for term in terms.dimensions.values()],
        "measures": [_measure(term) for term in terms.measures.values()],
        "joins": list(terms.joins),
        "data_version": info.version,
    }


def _head(terms: ModelTerms, info: MartInfo) -> dict[str, Any]:
    profile = info.profiles.get(terms.name, NO_PROFILE)
    return {
        "model": terms.name,
        "description": terms.description,
        "grain": terms.grain,
        "time_dimension": terms.time_dimension,
        "currencies": list(profile.currencies),
        "has_unknown_currency": profile.has_unknown_currency,
        "platforms": list(profile.platforms),
        "time_zones": list(profile.time_zones),
        "first_day": _day(profile.first_day),
        "last_day": _day(profile.last_day),
        "row_count": profile.row_count,
    }


def _dimension(term: DimensionTerm) -> dict[str, Any]:
    return {
        "name": term.name,
        "label": term.label,
        "type": term.type,
        "description": term.description,
        "personal": term.is_personal,
        "grains": list(term.grains),
        "operators": list(operators_of(kind_of(term.type))),
    }


def _measure(term: MeasureTerm) -> dict[str, Any]:
    return {
        "name": term.name,
        "label": term.label,
        "type": term.type,
        "unit": term.unit,
        "description": term.description,
        "claimed": term.is_claimed,
        "blended": term.is_blended,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
