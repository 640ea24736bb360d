"""The generated part of the library: catalogue, contracts and star schema for dbt and readers."""

import json
from pathlib import PurePosixPath

from martlet import naming
from martlet.config.catalogue import Catalogue, Connector
from martlet.contracts.base import Column, ObjectContract
from martlet.contracts.library import object_contract
from martlet.scaffold.files import GeneratedFile
from martlet.star_schema import STAR_TABLES

FOLDERS = (
    PurePosixPath("macros/contracts"),
    PurePosixPath("macros/factories/generated"),
    PurePosixPath("models/platform/master_models"),
    PurePosixPath("docs/reference"),
)


def library_files(catalogue: Catalogue) -> tuple[GeneratedFile, ...]:
    """Return the generated macros, master models and reference pages of the catalogue."""
    owners = {c.master_model_id: c for c in reversed(list(catalogue.connectors.values()))}
    return (
        *(_contract_macros(connector) for connector in owners.values()),
        *(
            _master_model(connector, object_)
            for connector in owners.values()
            for object_ in connector.objects
        ),
        _star_schema(),
        _star_schema_page(),
        _engine_map(catalogue),
    )


def contract_macro(master_model_id: str, object_: str) -> str:
    """Return the name of the macro that tells dbt what a contract says."""
    return f"contract_{master_model_id}_{object_}"


def _contract_macros(connector: Connector) -> GeneratedFile:
    macros = [
        _contract_macro(connector, object_contract(connector.name, object_))
        for object_ in connector.objects
    ]
    return GeneratedFile(
        path=PurePosixPath(f"macros/contracts/{connector.master_model_id}.sql"),
        body="\n\n".join(macros) + "\n",
        edit_instead=f"src/martlet/contracts/{connector.name}/contract.py",
    )


def _contract_macro(connector: Connector, contract: ObjectContract) -> str:
    columns = "\n".join(f"            {_column(column)}," for column in contract.columns)
    scope = contract.scope
    stated_scope = {"account": scope.account, "date": scope.date} if scope else "none"
    return (
        f"{{% macro {contract_macro(connector.master_model_id, contract.object)}() %}}\n"
        "    {{ return({\n"
        f"        'key': {list(contract.key)},\n"
        f"        'optional_key': {list(contract.optional_key)},\n"
        f"        'scope': {stated_scope},\n"
        f"        'columns': [\n{columns}\n        ],\n"
        "    }) }}\n"
        "{% endmacro %}"
    )


def _column(column: Column) -> str:
    stated: dict[str, object] = {
        "name": column.name,
        "type": column.type,
        "paths": list(column.paths),
    }
    if column.list_key:
        stated["list_key"] = column.list_key
        stated["list_value"] = list(column.list_value)
    return json.dumps(stated, ensure_ascii=False)


def _master_model(connector: Connector, object_: str) -> GeneratedFile:
    name = naming.master_model(connector.master_model_id, object_)
    return GeneratedFile(
        path=PurePosixPath(f"models/platform/master_models/{name}.sql"),
        body=(
            f"-- grain: one row per version of a {connector.api} {object_} record, all tenants\n"
            "{{ config(materialized='append_only', schema='platform', columns_of='master') }}\n"
            "{{ append_only_model('master') }}\n"
        ),
        edit_instead="supported_connectors.yaml",
    )


def _star_schema() -> GeneratedFile:
    tables = []
    for table in STAR_TABLES:
        columns = "\n".join(
            f"            {{'name': '{column.name}', 'type': '{column.type}'}},"
            for column in table.columns
        )
        tables.append(f"        '{table.name}': [\n{columns}\n        ],")
    listed = "\n".join(tables)
    return GeneratedFile(
        path=PurePosixPath("macros/factories/generated/canonical_columns.sql"),
        body=(
            "{% macro canonical_columns(table) %}\n"
            f"    {{{{ return({{\n{listed}\n    }}[table]) }}}}\n"
            "{% endmacro %}\n"
        ),
        edit_instead="src/martlet/star_schema.py",
    )


def _star_schema_page() -> GeneratedFile:
    sections = []
    for table in STAR_TABLES:
        name_of = naming.fact_model if table.kind == "fact" else naming.dimension_model
        columns = "\n".join(
            f"| `{column.name}` | {column.type} | {column.description}"
            f"{' **Personal data.**' if column.personal else ''} |"
            for column in table.columns
        )
        sections.append(
            f"## {table.name}\n\n"
            f"`analytics.{name_of('<tenant>', table.name)}`, built by `{table.factory}`. "
            f"Grain: {table.grain}.\n\n"
            f"| column | type | what it holds |\n|---|---|---|\n{columns}\n"
        )
    return GeneratedFile(
        path=PurePosixPath("docs/reference/star_schema.md"),
        body=(
            "# Star schema\n\n"
            "Every active tenant has these tables, with every column in this order and of this\n"
            "type, whatever its sources are. A tenant without a source of a table's domain has\n"
            "the table empty.\n\n" + "\n".join(sections)
        ),
        edit_instead="src/martlet/star_schema.py",
    )


def _engine_map(catalogue: Catalogue) -> GeneratedFile:
    """Return the map from source to engine call.

    Each call is evaluated only when its source is asked for, so that dbt sees exactly the
    references of the tenant's own sources, also after a partial parse.
    """
    macros = []
    for domain, suffix in (
        ("paid_ads", "engine"),
        ("ecommerce", "engine"),
        ("analytics", "engine"),
        ("paid_ads", "campaigns"),
    ):
        calls = "\n".join(
            f"        '{c.name}': {suffix}_{c.name}(tenant, sources) if '{c.name}' in sources,"
            for c in catalogue.connectors.values()
            if c.domain == domain
        )
        name = f"{domain}_engine_map" if suffix == "engine" else "campaigns_engine_map"
        macros.append(
            f"{{% macro {name}(tenant, sources) %}}\n"
            f"    {{{{ return({{\n{calls}\n    }}) }}}}\n"
            "{% endmacro %}"
        )
    return GeneratedFile(
        path=PurePosixPath("macros/factories/generated/engine_map.sql"),
        body="\n\n\n".join(macros) + "\n",
        edit_instead="supported_connectors.yaml",
    )
