"""Commands that make, list, replace and withdraw the keys that callers of the API present."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from martlet.access.keys import (
    DEFAULT_LIFETIME,
    DEFAULT_OVERLAP,
    MAX_LIFETIME_DAYS,
    Key,
    KeyStore,
    NewKey,
)
from martlet.access.scopes import DEFAULT_SCOPES, checked_scopes
from martlet.cli.app import AsJson, app, project
from martlet.config.tenants import load_tenants_leniently
from martlet.terminal import Terminal

keys = typer.Typer(help="The keys that open the API.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys, name="keys")

Named = Annotated[
    str, typer.Argument(metavar="KEY", help="Id of a key, or a tenant that has one live key.")
]


@keys.command()
def create(
    tenant: Annotated[str, typer.Argument(help="Slug of a tenant.")],
    scopes: Annotated[
        str, typer.Option(help="What the key is good for: query,observability,pii,admin.")
    ] = ",".join(DEFAULT_SCOPES),
    name: Annotated[str | None, typer.Option(help="Who uses it, for the list.")] = None,
    expires_in_days: Annotated[
        int, typer.Option(min=1, max=MAX_LIFETIME_DAYS, help="Days after which it expires.")
    ] = DEFAULT_LIFETIME.days,
    as_json: AsJson = False,
) -> None:
    """Make a key for a tenant and print it, this once: only a hash of it is kept."""
    settings, catalogue = project()
    granted = checked_scopes(scopes.split(","))
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    if tenant in errors:
        raise errors[tenant]
    tenants.tenant(tenant)
    with KeyStore(settings.control) as store:
        lifetime = timedelta(days=expires_in_days)
        new = store.create(tenant, granted, name=name, lifetime=lifetime)
    Terminal(as_json=as_json).say(_document(new), _shown_once(new))


@keys.command("list")
def list_keys(
    tenant: Annotated[str | None, typer.Argument(help="Slug of a tenant; default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the keys of a tenant or of all: what each is good for, until when, when last used."""
    settings, catalogue = project()
    with KeyStore(settings.control) as store:
        found = store.list(tenant)
    if tenant is not None and not found:
        tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
        if tenant not in errors:
            tenants.tenant(tenant)
    now = datetime.now(UTC)
    rows = [_row(key, now) if as_json else _cells(key, now) for key in found]
    Terminal(as_json=as_json).rows(
        "keys", rows, none=f"there is no key; make one: martlet keys create {tenant or 'TENANT'}"
    )


@keys.command()
def rotate(
    key: Named,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=8760, help="Hours for which the old key still opens.")
    ] = DEFAULT_OVERLAP.total_seconds() / 3600,
    as_json: AsJson = False,
) -> None:
    """Replace a key by one with a new secret, and print it; the old one expires a little later."""
    settings, _ = project()
    with KeyStore(settings.control) as store:
        new, old = store.rotate(store.find(key).id, timedelta(hours=overlap_hours))
    document = _document(new) | {"replaces": {"id": old.id, "expires_at": _text(old.expires_at)}}
    sentence = f"{_shown_once(new)}\nreplaces: {old.id}, which opens until {_text(old.expires_at)}"
    Terminal(as_json=as_json).say(document, sentence)


@keys.command()
def revoke(key: Named, as_json: AsJson = False) -> None:
    """Let a key open nothing from now on, also in a server that runs."""
    settings, _ = project()
    with KeyStore(settings.control) as store:
        revoked = store.revoke(store.find(key).id)
    Terminal(as_json=as_json).say(
        _row(revoked, datetime.now(UTC)),
        f"key {revoked.id} of {revoked.tenant} is revoked since {_text(revoked.revoked_at)}",
    )


def _document(new: NewKey) -> dict[str, Any]:
    key = new.key
    return {
        "key": new.text,
        "id": key.id,
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "name": key.name,
        "expires_at": _text(key.expires_at),
    }


def _shown_once(new: NewKey) -> str:
    key = new.key
    return (
        f"{new.text}\n"
        "This is the key. It is shown this once: keep it where secrets are kept.\n"
        f"id: {key.id}  tenant: {key.tenant}  scopes: {','.join(sorted(key.scopes))}"
        f"  expires: {_text(key.expires_at)}"
    )


def _row(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "status": key.status(now),
        "scopes": sorted(key.scopes),
        "name": key.name,
        "created_at": _text(key.created_at),
        "expires_at": _text(key.expires_at),
        "last_used_at": _text(key.last_used_at),
        "revoked_at": _text(key.revoked_at),
        "replaced_by": key.replaced_by,
    }


def _cells(key: Key, now: datetime) -> dict[str, Any]:
    """Return what a table has room for, moments to the minute."""
    row = _row(key, now)
    moments = ("created_at", "expires_at", "last_used_at")
    shown = ("id", "tenant", "status", "scopes", "name", *moments)
    return {
        name: (row[name] or "")[:16].replace("T", " ") if name in moments else row[name]
        for name in shown
    }


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
