"""The command that keeps the warehouse small."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from martlet.cli.app import AsJson, Wait, app, project
from martlet.terminal import Terminal


@app.command()
def maintain(
    keep_days: Annotated[
        float, typer.Option(min=0.05, help="Days of which the lake's older states stay readable.")
    ] = 7.0,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Merge small files, expire old states, delete what nothing needs; beside writers."""
    from martlet.engines.maintenance import GRACE
    from martlet.engines.targets import engine_of

    settings, _ = project()
    engine = engine_of(settings)
    done = engine.maintain(kept=timedelta(days=keep_days), grace=GRACE, wait_seconds=wait)
    lines = [
        f"{d.database}: {d.files_before} files of {d.bytes_before:,} bytes are {d.files_after} of "
        f"{d.bytes_after:,}; {d.rows_flushed:,} inlined rows written, {d.snapshots_expired} old "
        f"states expired, {d.files_deleted} files deleted"
        for d in done
    ]
    Terminal(as_json=as_json).say(
        {"databases": [asdict(d) for d in done]}, "\n".join(lines) or "nothing to do"
    )
