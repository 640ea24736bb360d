"""Martlet on a lake, shared out over machines by Dagster: every hour, and at night with upkeep.

dagster dev -f docs/examples/dagster_lake.py
"""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

BAD_INPUT = 2  # the exit code of what no second try makes right
AGAIN = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


class Martlet(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The command, as it stands on every machine that takes steps.

    The target, its catalogue and its keys come from that machine's environment, and pass through
    neither Dagster's configuration nor its event log.
    """

    project: str = str(Path(__file__).parents[2])
    command: str = "martlet"
    wait_seconds: float = 600

    def call(self, *arguments: str) -> dict[str, Any]:
        """Return the command's document; raises `Failure`, to be tried again or not."""
        done = subprocess.run(
            [*shlex.split(self.command), *arguments, "--wait", f"{self.wait_seconds:g}", "--json"],
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise dg.Failure(
                done.stderr.strip() or f"exit code {done.returncode}",
                allow_retries=done.returncode != BAD_INPUT,
            )
        document: dict[str, Any] = json.loads(done.stdout)
        return document


class Sharing(dg.Config):
    """Into how many shards the tenants go: as many as steps may run at once, or some more."""

    shards: int = 4


@dg.op(out=dg.DynamicOut(str))
def share_out(config: Sharing) -> Iterator[dg.DynamicOutput[str]]:
    """Give the shards, one step each."""
    for number in range(1, config.shards + 1):
        yield dg.DynamicOutput(f"{number}/{config.shards}", mapping_key=f"shard_{number}")


@dg.op(retry_policy=AGAIN)
def run_shard(context: dg.OpExecutionContext, martlet: Martlet, shard: str) -> int:
    """Run the tenants of one shard; return how many had news.

    A second try is safe after any failure: what was pushed is known, and who is done costs a look.
    """
    told = martlet.call("run", "--all", "--shard", shard)
    for finding in told["findings"]:
        context.log.warning(f"{finding['tenant']}: {finding['message']}")
    tenants = {fact["tenant"] for fact in told["facts"]} - {*told["unchanged"]}
    rows_pushed = sum(table["pushed"] for table in told["tables"])
    context.add_output_metadata(
        {"shard": shard, "unchanged": len(told["unchanged"]), "rows_pushed": rows_pushed}
    )
    return len(tenants)


@dg.op(retry_policy=AGAIN)
def maintain(context: dg.OpExecutionContext, martlet: Martlet, with_news: list[int]) -> None:
    """Merge small files and delete what nothing needs, once, after all shards."""
    context.log.info(f"{sum(with_news)} tenants had news")
    for told in martlet.call("maintain")["databases"]:
        context.add_output_metadata(
            {f"{told['database']}_{name}": told[name] for name in ("files_before", "files_after")}
        )


@dg.job
def hour() -> None:
    """Run what has news."""
    share_out().map(run_shard)


@dg.job
def night() -> None:
    """Run what has news; then upkeep."""
    maintain(share_out().map(run_shard).collect())


defs = dg.Definitions(
    jobs=[hour, night],
    schedules=[
        dg.ScheduleDefinition(job=hour, cron_schedule="5 1-23 * * *"),
        dg.ScheduleDefinition(job=night, cron_schedule="5 0 * * *"),
    ],
    resources={"martlet": Martlet()},
)
