"""Brings the generated files of the library or of a tenant up to date."""

from pathlib import PurePosixPath

from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.scaffold.files import Changes, apply, plan
from martlet.scaffold.library_files import FOLDERS, library_files
from martlet.scaffold.tenant_files import LAYERS, tenant_files, tenant_folders
from martlet.settings import Settings


def scaffold_library(
    settings: Settings, catalogue: Catalogue, *, dry_run: bool = False, force: bool = False
) -> Changes:
    """Write what catalogue, contracts and star schema generate; nothing when it is there."""
    files = library_files(catalogue)
    changes = plan(settings.project_dir, files, FOLDERS, force=force)
    if not dry_run:
        apply(settings.project_dir, files, changes)
    return changes


def scaffold_tenant(
    settings: Settings,
    tenant: Tenant,
    tenants: TenantsFile,
    catalogue: Catalogue,
    *,
    dry_run: bool = False,
    force: bool = False,
) -> Changes:
    """Write the tenant's shells and remove those of sources that it no longer has."""
    files = tenant_files(tenant, tenants, catalogue)
    changes = plan(settings.project_dir, files, tenant_folders(tenant.slug), force=force)
    if not dry_run:
        apply(settings.project_dir, files, changes)
    return changes


def remove_orphans(
    settings: Settings, known: set[str], *, dry_run: bool = False, force: bool = False
) -> dict[str, Changes]:
    """Remove the generated files of tenants that the configuration has no longer."""
    removed = {}
    for slug in orphaned_tenants(settings, known):
        changes = plan(settings.project_dir, (), tenant_folders(slug), force=force)
        if not dry_run:
            apply(settings.project_dir, (), changes)
        if not changes.none:
            removed[slug] = changes
    return removed


def orphaned_tenants(settings: Settings, known: set[str]) -> tuple[str, ...]:
    """Return the tenants that have folders of models but are in `tenants.yaml` no longer."""
    found: set[str] = set()
    for layer in LAYERS:
        folder = settings.project_dir / PurePosixPath("models") / layer
        if folder.is_dir():
            found |= {child.name for child in folder.iterdir() if child.is_dir()}
    return tuple(sorted(found - known))
