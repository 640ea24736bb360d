"""Semantic definitions of a tenant's star schema, in Boring Semantic Layer's format.

Made after each run from the tables as they are, so that nothing is defined that is not there, and
from what dbt recorded of them. A new version is stored only when a definition changed. Format:
boringdata/boring-semantic-layer, "YAML configuration"; `metadata` holds what the service needs.
"""

import json
from hashlib import md5
from typing import Any

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.semantics import ExtraMeasure, Semantics, natures_with
from martlet.config.tenants import Tenant
from martlet.engines.duckdb_engine import columns_of
from martlet.semantic.extra_measures import aggregate_expression, ratio_expression
from martlet.semantic.standard import STANDARD_MODELS
from martlet.semantic.standard.concepts import Dimension, Nature, StandardModel
from martlet.star_schema import StarTable, star_model

TABLE = "ops.platform_ops__boring_semantic_layer"
_RUN_METADATA = "model_artifacts"
_SMALLEST_GRAIN = {"date": "TIME_GRAIN_DAY", "timestamp": "TIME_GRAIN_SECOND"}

Definition = dict[str, dict[str, Any]]


def tenant_definitions(warehouse: DuckDBPyConnection, tenant: Tenant | str) -> Definition:
    """Return the tenant's semantic models by name, for the tables that exist.

    A slug instead of the tenant gives the standard vocabulary alone.
    """
    slug, semantics = (
        (tenant, Semantics()) if isinstance(tenant, str) else (tenant.slug, tenant.semantics)
    )
    present = _columns_present(warehouse, slug)
    feeds = {} if isinstance(tenant, str) else _feeding_platforms(warehouse, tenant)
    return {
        name: _model(model, slug, semantics, present, feeds.get(name))
        for name, model in STANDARD_MODELS.items()
        if name in present
    }


def store_definitions(
    warehouse: DuckDBPyConnection, tenant: Tenant | str
) -> tuple[Definition, int]:
    """Append the tenant's definitions where they differ from the newest version.

    Returns them and the number of the version that holds them.
    """
    slug = tenant if isinstance(tenant, str) else tenant.slug
    definition = tenant_definitions(warehouse, tenant)
    text = json.dumps(definition, sort_keys=True)
    digest = md5(text.encode(), usedforsecurity=False).hexdigest()
    newest = warehouse.execute(
        f"select max(version_number), arg_max(definition_digest, version_number) from {TABLE} "
        "where tenant_slug = ?",
        [slug],
    ).fetchone()
    version, known = newest or (None, None)
    if version is not None and known == digest:
        return definition, version
    number = (version or 0) + 1
    warehouse.execute(
        f"insert into {TABLE} "
        "(tenant_slug, version_number, definition_digest, definition, made_at) "
        "values (?, ?, ?, ?, cast(current_timestamp at time zone 'UTC' as timestamp))",
        [slug, number, digest, text],
    )
    return definition, number


def _columns_present(warehouse: DuckDBPyConnection, slug: str) -> dict[str, frozenset[str]]:
    """Return the columns of each model that has a table.

    The mart makes the blended one of the three facts, so it is there when they are.
    """
    present: dict[str, frozenset[str]] = {}
    for name, model in STANDARD_MODELS.items():
        if model.table is None:
            continue
        columns = columns_of(warehouse, f"analytics.{star_model(slug, model.table)}")
        if columns:
            present[name] = frozenset(columns) & set(model.column)
    facts = {name for name, model in STANDARD_MODELS.items() if _is_fact(model.table)}
    if facts <= set(present):
        in_marts = (model for model in STANDARD_MODELS.values() if model.table is None)
        present |= {model.name: frozenset(model.column) for model in in_marts}
    return present


def _is_fact(table: StarTable | None) -> bool:
    return table is not None and table.kind == "fact"


def _feeding_platforms(warehouse: DuckDBPyConnection, tenant: Tenant) -> dict[str, tuple[str, ...]]:
    """Return the platforms that each model was built from, as dbt recorded its last build."""
    if not columns_of(warehouse, f"ops.{_RUN_METADATA}"):
        return {}
    models = {
        star_model(tenant.slug, model.table): name
        for name, model in STANDARD_MODELS.items()
        if model.table is not None
    }
    rows = warehouse.execute(
        "select name, arg_max(depends_on, (captured_at, invocation_id)) "
        f"from ops.{_RUN_METADATA} where list_contains(?, name) group by name",
        [list(models)],
    ).fetchall()
    feeds = {}
    for name, depends_on in rows:
        nodes = {str(node).rpartition(".")[2] for node in json.loads(depends_on)}
        feeds[models[name]] = tuple(
            source.platform
            for source in tenant.sources.values()
            if any(
                naming.intermediate_model(tenant.slug, source.platform, object_) in nodes
                for object_ in source.objects
            )
        )
    return feeds


def _model(
    model: StandardModel,
    slug: str,
    semantics: Semantics,
    present: dict[str, frozenset[str]],
    platforms: tuple[str, ...] | None,
) -> dict[str, Any]:
    available = present[model.name]
    table = star_model(slug, model.table) if model.table else naming.fact_model(slug, model.name)
    definition: dict[str, Any] = {
        "table": table,
        "description": f"{model.description}{_fed_by(platforms)} Grain: {model.grain}.",
        "dimensions": {
            dimension.column.name: _dimension(dimension, model.day)
            for dimension in model.dimensions
            if dimension.column.name in available
        },
        "measures": {},
        "calculated_measures": {},
    }
    _add_standard_measures(definition, model, available)
    _add_extra_measures(definition, model, semantics.measures.get(model.name, {}), available)
    joins = {
        join.model: {
            "model": join.model,
            "type": "one",
            "left_on": join.key,
            "right_on": join.key,
        }
        for join in model.joins
        if set(join.made_of) <= available & present.get(join.model, frozenset())
    }
    if joins:
        definition["joins"] = joins
    for section in ("dimensions", "measures", "calculated_measures"):
        for name, field in definition[section].items():
            label = semantics.labels.get(f"{model.name}.{name}")
            if label is not None:
                field["metadata"]["label"] = label
    return definition


def _fed_by(platforms: tuple[str, ...] | None) -> str:
    if platforms is None:
        return ""
    return f" Built from {', '.join(platforms)}." if platforms else " No source feeds it yet."


def _dimension(dimension: Dimension, day: str | None) -> dict[str, Any]:
    column = dimension.column
    metadata: dict[str, Any] = {"label": dimension.label, "type": dimension.type}
    if column.personal:
        metadata["personal"] = True
    field: dict[str, Any] = {
        "expr": f"_.{column.name}",
        "description": column.description,
        "metadata": metadata,
    }
    if dimension.type in _SMALLEST_GRAIN:
        field["is_time_dimension"] = True
        field["smallest_time_grain"] = _SMALLEST_GRAIN[dimension.type]
        if column.name == day:
            metadata["default_time"] = True
    return field


def _add_standard_measures(
    definition: dict[str, Any], model: StandardModel, available: frozenset[str]
) -> None:
    for measure in model.measures:
        if measure.columns <= available:
            definition["measures"][measure.name] = _measure(
                measure.expr, measure.label, measure.description, model.natures[measure.name]
            )
    for ratio in model.ratios:
        if {ratio.numerator, ratio.denominator} <= set(definition["measures"]):
            definition["calculated_measures"][ratio.name] = _measure(
                ratio.expr, ratio.label, ratio.description, model.natures[ratio.name]
            )


def _add_extra_measures(
    definition: dict[str, Any],
    model: StandardModel,
    extras: dict[str, ExtraMeasure],
    available: frozenset[str],
) -> None:
    """Add the tenant's own measures, but for those that need a column that is not there."""
    natures = natures_with(model, extras)
    measures, ratios = definition["measures"], definition["calculated_measures"]
    formulas = {name: field["expr"] for name, field in ratios.items()}
    for name, extra in extras.items():
        nature = natures[name]
        if extra.aggregate and extra.columns <= available and nature:
            expression = aggregate_expression(extra, *extra.aggregate)
            measures[name] = _own_measure(name, extra, expression, nature)
    for name, extra in extras.items():
        nature = natures[name]
        if (
            extra.ratio
            and nature
            and {extra.ratio.numerator, extra.ratio.denominator}
            <= {
                *measures,
                *formulas,
            }
        ):
            expression = ratio_expression(extra.ratio.numerator, extra.ratio.denominator, formulas)
            ratios[name] = _own_measure(name, extra, expression, nature)


def _own_measure(name: str, extra: ExtraMeasure, expression: str, nature: Nature) -> dict[str, Any]:
    label = extra.label or name.replace("_", " ").strip().capitalize()
    if extra.ratio:
        told = f"{extra.ratio.numerator} per {extra.ratio.denominator}"
    else:
        told = " of ".join(extra.aggregate or ())
    description = extra.description or f"This tenant's own: {told.replace('_', ' ')}."
    return _measure(expression, label, description, nature)


def _measure(expression: str, label: str, description: str, nature: Nature) -> dict[str, Any]:
    metadata: dict[str, Any] = {"label": label, "type": nature.type, "unit": nature.unit}
    flags = {
        "of_money": nature.of_money,
        "claimed": nature.is_claimed,
        "blended": nature.is_blended,
    }
    metadata |= {flag: True for flag, is_set in flags.items() if is_set}
    return {"expr": expression, "description": description, "metadata": metadata}
