"""The only place that builds names: of schemas, landed tables, dbt sources and models."""

import re
from datetime import datetime

MAX_SLUG_LENGTH = 63
SHARED_SCHEMA = "shared"
UNASSIGNED = "_unassigned"
MAIN_CONNECTION = "main"

# A tenant's slug is a schema of the landing database and a folder beside those of the layers.
RESERVED_TENANT_SLUGS = frozenset(
    {
        "analytics",
        "analytics_extended",
        "information_schema",
        "intermediate",
        "landing",
        "main",
        "memory",
        "ops",
        "pg_catalog",
        "platform",
        "shared",
        "sources",
        "staging",
        "system",
        "temp",
        "warehouse",
        UNASSIGNED,
    }
)

_SLUG = re.compile(r"[a-z][a-z0-9_]*")


def slug_problem(value: str) -> str | None:
    """Return why `value` is no slug, or None when it is one.

    `__` divides the parts of every name, so a slug never contains it.
    """
    if not value:
        return "a slug cannot be empty"
    if len(value) > MAX_SLUG_LENGTH:
        return f"a slug has at most {MAX_SLUG_LENGTH} characters, this one has {len(value)}"
    if not _SLUG.fullmatch(value):
        return "a slug begins with a letter a-z and holds only a-z, 0-9 and _"
    if "__" in value:
        return "a slug cannot contain '__', which divides the parts of table names"
    return None


def tenant_slug_problem(value: str) -> str | None:
    """Return why `value` cannot name a tenant, or None when it can."""
    if value in RESERVED_TENANT_SLUGS:
        return "this name is reserved for Martlet's own schemas and folders"
    return slug_problem(value)


def suggest_slug(value: str) -> str | None:
    """Return the nearest slug to `value`, or None when nothing of it can be kept."""
    folded = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", value.lower())).strip("_")
    candidate = folded.lstrip("0123456789_")[:MAX_SLUG_LENGTH].rstrip("_")
    return candidate or None


def landed_schema(tenant: str) -> str:
    """Return the schema of the landing database that holds the tenant's own tables."""
    return tenant


def landed_table(
    tenant: str, platform: str, object_: str, connection: str = MAIN_CONNECTION
) -> str:
    """Return the landed table; only connections other than `main` show in the name."""
    table = f"{source_name(tenant, platform)}__{object_}"
    return table if connection == MAIN_CONNECTION else f"{table}__{connection}"


def source_name(tenant: str, platform: str) -> str:
    """Return the name of the dbt source that declares the tenant's landed tables."""
    return f"{tenant}_{platform}"


def staging_model(tenant: str, platform: str, object_: str) -> str:
    """Return the staging pusher's model name."""
    return f"stg_{tenant}__{platform}_{object_}"


def intermediate_model(tenant: str, platform: str, object_: str) -> str:
    """Return the name of the tenant's typed view of one object."""
    return f"int_{tenant}__{platform}_{object_}"


def master_model(master_model_id: str, object_: str) -> str:
    """Return the name of the append-only model that all tenants share."""
    return f"platform_mm__{master_model_id}_{object_}"


def fact_model(tenant: str, fact: str) -> str:
    """Return the name of a fact, such as `ad_performance`."""
    return f"fct_{tenant}__{fact}"


def dimension_model(tenant: str, dimension: str) -> str:
    """Return the name of a dimension, such as `campaigns`."""
    return f"dim_{tenant}__{dimension}"


def as_of_schema(moment: datetime) -> str:
    """Return the schema that holds views and facts as they were at a moment (UTC)."""
    return f"as_of_{moment:%Y%m%d_%H%M%S}"
