"""The generated files of one tenant: sources, staging, intermediate and analytics shells.

Rendering is a pure function of the two YAML files and the locks: no database is asked.
"""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from martlet import naming
from martlet.config.catalogue import Catalogue, Connector
from martlet.config.tenants import SharedLanding, Source, Tenant, TenantsFile
from martlet.contracts.lock import newest_shape
from martlet.scaffold.files import GeneratedFile
from martlet.scaffold.library_files import contract_macro
from martlet.star_schema import (
    STAR_TABLES,
    StarTable,
    grain_test,
    isolation_test,
    star_model,
)

LAYERS = ("sources", "staging", "intermediate", "analytics")


def tenant_folders(tenant: str) -> tuple[PurePosixPath, ...]:
    """Return the folders that the tenant's generated files live in."""
    return tuple(PurePosixPath("models") / layer / tenant for layer in LAYERS)


def tenant_files(
    tenant: Tenant, tenants: TenantsFile, catalogue: Catalogue
) -> tuple[GeneratedFile, ...]:
    """Return all generated files of an active tenant; a disabled one has none."""
    if not tenant.is_active:
        return ()
    files: list[GeneratedFile] = []
    for source in tenant.enabled_sources():
        connector = catalogue.connector(source.platform)
        files.append(_sources_yml(tenant, tenants, source))
        for object_ in source.objects:
            files.append(_staging(tenant, tenants, source, connector, object_))
        # Engines read all objects of a connector: one that is not landed has an empty view.
        for object_ in connector.objects:
            files.append(_intermediate(tenant, source, connector, object_))
    files += [_analytics(tenant, table) for table in STAR_TABLES]
    files.append(_analytics_yml(tenant))
    return tuple(files)


def staging_landings(
    tenant: Tenant, tenants: TenantsFile, source: Source, object_: str
) -> Iterator[dict[str, object]]:
    """Give the landed tables that feed one staging model, each with its literal route.

    One table a connection, and the shared tables in which the tenant has accounts.
    """
    published = newest_shape(source.platform, object_).source_schema_hash
    for connection in source.connections.values():
        yield {
            "source": naming.source_name(tenant.slug, source.platform),
            "table": naming.landed_table(tenant.slug, source.platform, object_, connection.slug),
            "connection": connection.slug,
            "source_schema_hash": published,
        }
    for landing in _shared(tenants, source, object_):
        for connection in source.connections.values():
            accounts = [
                account
                for account in connection.accounts
                if account not in tenants.disputed_accounts(source.platform)
            ]
            if accounts:
                yield {
                    "source": f"{naming.source_name(tenant.slug, source.platform)}_shared",
                    "table": landing.table,
                    "connection": connection.slug,
                    "source_schema_hash": published,
                    "account_column": landing.account_column,
                    "accounts": accounts,
                }


def _shared(
    tenants: TenantsFile, source: Source, object_: str | None = None
) -> list[SharedLanding]:
    return [
        landing
        for landing in tenants.shared_landings
        if landing.platform == source.platform
        and landing.object in ((object_,) if object_ else source.objects)
    ]


def _sources_yml(tenant: Tenant, tenants: TenantsFile, source: Source) -> GeneratedFile:
    tables = [
        naming.landed_table(tenant.slug, source.platform, object_, connection)
        for object_ in source.objects
        for connection in source.connections
    ]
    lines = _source_lines(
        naming.source_name(tenant.slug, source.platform),
        naming.landed_schema(tenant.slug),
        tenant,
        tenants,
        tables,
    )
    shared = [landing.table for landing in _shared(tenants, source)]
    if shared:
        lines += _source_lines(
            f"{naming.source_name(tenant.slug, source.platform)}_shared",
            naming.SHARED_SCHEMA,
            tenant,
            tenants,
            shared,
        )
    return GeneratedFile(
        path=PurePosixPath(f"models/sources/{tenant.slug}/{source.platform}/_sources.yml"),
        body="\n".join(["version: 2", "", "sources:", *lines]) + "\n",
        edit_instead="tenants.yaml",
    )


def _source_lines(
    name: str, schema: str, tenant: Tenant, tenants: TenantsFile, tables: list[str]
) -> list[str]:
    digest = tenants.digest(tenant.slug)
    return [
        f"  - name: {name}",
        "    database: landing",
        f"    schema: {schema}",
        "    config:",
        f"      meta: {{tenant: {tenant.slug}, config_digest: {json.dumps(digest)}}}",
        "    tables:",
        *(f"      - name: {table}" for table in tables),
    ]


def _staging(
    tenant: Tenant, tenants: TenantsFile, source: Source, connector: Connector, object_: str
) -> GeneratedFile:
    name = naming.staging_model(tenant.slug, source.platform, object_)
    contract = contract_macro(connector.master_model_id, object_)
    landings = "\n".join(
        f"        {json.dumps(landing)},"
        for landing in staging_landings(tenant, tenants, source, object_)
    )
    body = f"""\
-- grain: one row per landed {source.platform} {object_} record of {tenant.slug}
{{% set push = {{
    'tenant': '{tenant.slug}', 'platform': '{source.platform}', 'object': '{object_}',
    'master': '{naming.master_model(connector.master_model_id, object_)}',
    'landings': [
{landings}
    ],
}} %}}
{{{{ config(
    materialized='view',
    schema='staging',
    meta={{'push': push}},
    post_hook="{{{{ sync_to_master_hub({contract}()) }}}}",
) }}}}
{{{{ generate_staging_pusher(push, {contract}()) }}}}
"""
    return GeneratedFile(
        path=PurePosixPath(f"models/staging/{tenant.slug}/{source.platform}/{name}.sql"),
        body=body,
        edit_instead="tenants.yaml",
    )


def _intermediate(
    tenant: Tenant, source: Source, connector: Connector, object_: str
) -> GeneratedFile:
    platform = connector.name
    staging = naming.staging_model(tenant.slug, platform, object_)
    after = f"-- depends_on: {{{{ ref('{staging}') }}}}\n" if object_ in source.objects else ""
    name = naming.intermediate_model(tenant.slug, platform, object_)
    master = naming.master_model(connector.master_model_id, object_)
    contract = contract_macro(connector.master_model_id, object_)
    body = f"""\
-- grain: one row per {platform} {object_} record of {tenant.slug}, its newest version
{after}{{% set unpack = {{
    'tenant': '{tenant.slug}', 'platform': '{platform}', 'object': '{object_}',
    'master': '{master}', 'contract': '{contract}',
}} %}}
{{{{ config(materialized='view', schema='intermediate', meta={{'unpack': unpack}}) }}}}
{{{{ unpack_master(
    ref('{master}'), {contract}(), '{tenant.slug}', '{platform}', '{object_}'
) }}}}
"""
    return GeneratedFile(
        path=PurePosixPath(f"models/intermediate/{tenant.slug}/{platform}/{name}.sql"),
        body=body,
        edit_instead="tenants.yaml",
    )


def _analytics(tenant: Tenant, table: StarTable) -> GeneratedFile:
    if table.domain == "analytics":
        source = tenant.analytics_source
        events = tenant.sources[source].tables.get("events") if source else None
        arguments = f"{source!r}, {list(events.conversion_events) if events else []}"
        arguments = arguments.replace("None", "none")
    else:
        arguments = str([source.platform for source in tenant.enabled_sources(table.domain)])
    name = star_model(tenant.slug, table)
    body = f"""\
-- grain: {table.grain}
{_materialization(tenant, table)}
{{{{ {table.factory}('{tenant.slug}', {arguments}) }}}}
"""
    return GeneratedFile(
        path=PurePosixPath(f"models/analytics/{tenant.slug}/{name}.sql"),
        body=body,
        edit_instead="tenants.yaml",
    )


def _materialization(tenant: Tenant, table: StarTable) -> str:
    """Return the lines that say how the table is kept: a fact follows what its records change."""
    if table.kind == "dimension":
        return "{{ config(materialized='table', schema='analytics', contract={'enforced': true}) }}"
    return f"""\
-- depends_on: {{{{ ref('platform_ops__push_ledger') }}}}
-- depends_on: {{{{ ref('platform_ops__fact_refreshes') }}}}
{{{{ config(
    materialized='refreshed',
    schema='analytics',
    contract={{'enforced': true}},
    meta={{'tenant': '{tenant.slug}', 'fact': '{table.name}'}},
) }}}}"""


def _analytics_yml(tenant: Tenant) -> GeneratedFile:
    lines = ["version: 2", "", "models:"]
    for table in STAR_TABLES:
        lines += [
            f"  - name: {star_model(tenant.slug, table)}",
            f"    description: {json.dumps(f'Grain: {table.grain}.')}",
            "    data_tests:",
            "      - one_row_per_grain:",
            f"          name: {grain_test(star_model(tenant.slug, table))}",
            "          arguments:",
            f"            key: [{', '.join(table.key)}]",
            f"            optional_key: [{', '.join(table.optional_key)}]",
            "      - only_rows_of_tenant:",
            f"          name: {isolation_test(star_model(tenant.slug, table))}",
            "          arguments:",
            f"            tenant: {tenant.slug}",
            "    columns:",
        ]
        for column in table.columns:
            lines += [
                f"      - name: {column.name}",
                f"        data_type: {column.type}",
                f"        description: {json.dumps(column.description)}",
            ]
    return GeneratedFile(
        path=PurePosixPath(f"models/analytics/{tenant.slug}/_analytics.yml"),
        body="\n".join(lines) + "\n",
        edit_instead="tenants.yaml",
    )
