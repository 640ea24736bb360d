"""The command that shows it all: lands, runs, publishes, and hands out a key."""

from typing import Annotated

import typer

from martlet.access.keys import KeyStore
from martlet.cli.app import Wait, app, chosen_tenants, project
from martlet.config.tenants import load_tenants_leniently
from martlet.settings import Settings
from martlet.terminal import Terminal

DEMO_KEY = "demo"


@app.command()
def demo(
    days: Annotated[int, typer.Option(min=1, max=365, help="Days to simulate.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of the simulator.")] = 7,
    wait: Wait = 30.0,
) -> None:
    """Land simulated data for every active tenant, run, publish, and hand out a key."""
    from martlet.landing import command
    from martlet.pipeline.run import Run

    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = chosen_tenants(tenants, errors, None)
    terminal = Terminal(as_json=False)
    for tenant in chosen:
        with terminal.landing(command.planned_landings(settings, tenant.slug)) as progress:
            report = command.land_simulated(
                settings, tenant.slug, days=days, seed=seed, wait_seconds=wait, progress=progress
            )
        rows = sum(table.accepted for table in report.tables)
        terminal.say({}, f"landed {tenant.slug}: {rows:,} raw records of {days} days")
    with terminal.running(len(chosen)) as listener:
        work = Run(settings, catalogue, tenants, listener, wait_seconds=wait)
        run_report = work.run(chosen)
    terminal.ran(run_report)
    first = chosen[0].slug
    terminal.say({}, next_steps(first, demo_key(settings, first)))
    if work.broken_promises or errors:
        raise typer.Exit(1)


def demo_key(settings: Settings, tenant: str) -> str:
    """Return the text of a new key of the tenant; the one of an earlier demo is revoked."""
    keys = KeyStore(settings.control)
    for earlier in keys.list(tenant):
        if earlier.name == DEMO_KEY and earlier.revoked_at is None:
            keys.revoke(earlier.id)
    return keys.create(tenant, name=DEMO_KEY).text


def next_steps(tenant: str, key: str) -> str:
    """Return what a newcomer can try after the demo: ask, look, run again, read on."""
    question = (
        '{"model": "ad_performance", "measures": ["spend", "clicks", "roas"], '
        '"dimensions": ["source_platform"]}'
    )
    server = "http://127.0.0.1:8000"
    url = f"{server}/v1/{tenant}"
    return f"""
Ask it, after: source .venv/bin/activate
  martlet serve &
  export MARTLET_KEY={key}
  curl -s -H "Authorization: Bearer $MARTLET_KEY" {url}/models
  curl -s -H "Authorization: Bearer $MARTLET_KEY" -H 'Content-Type: application/json' {url}/query \\
    -d '{question}'
Look at it: {server}/ui/{tenant} - sign in with the key
Let an agent ask it: {server}/mcp - the key is its bearer token

Try next:
  martlet run                        # again: nothing is new, so 0 rows are pushed
  martlet land {tenant} --seed 7 --days 3 --until 2026-07-01 && martlet run   # a day later
  less models/analytics/{tenant}/fct_{tenant}__orders.sql   # one line: what it is made of
  less docs/follow_a_record.md       # one row through every layer
  $EDITOR tenants.yaml               # add a tenant, then: martlet land SLUG && martlet run"""
