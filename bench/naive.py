"""The naive forms, written to be compared with: what a first design does.

The push merges on the hash of the payload, for whole tables, as nothing says which rows are new.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from histories import SLUG, History

from martlet import naming
from martlet.engines.duckdb_engine import create_warehouse, quoted_name, quoted_text


@dataclass(frozen=True)
class NaiveMaster:
    """A master in a file of its own that is filled by a merge on the payload's hash."""

    file: Path
    history: History

    def create(self) -> None:
        """Create the file with its empty master."""
        create_warehouse(self.file)
        with duckdb.connect(str(self.file)) as connection:
            connection.execute(
                "create table master (tenant_slug varchar, source_platform varchar, "
                "tenant_skey varchar, source_schema_hash varchar, loaded_at timestamp, "
                "raw_data_payload json)"
            )

    def merge_newest(self) -> None:
        """Merge the load that was landed last: kinder than a first design would be."""
        self.merge(self.history.newest_load())

    def merge(self, load_id: str | None = None) -> None:
        """Merge the landed table, or one load of it, into the master."""
        with self._connection() as connection:
            connection.execute(self._merge(load_id))

    def _merge(self, load_id: str | None) -> str:
        table = naming.landed_table(SLUG, self.history.kind.platform, self.history.kind.object)
        names = ", ".join(map(quoted_name, self.history.kind.column_types))
        relation = f"landing.{quoted_name(SLUG)}.{quoted_name(table)}"
        of_load = f"where _dlt_load_id = {quoted_text(load_id)}" if load_id else ""
        return f"""
            merge into master as m
            using (
                select
                    {quoted_text(SLUG)} as tenant_slug,
                    {quoted_text(self.history.kind.platform)} as source_platform,
                    to_json(e) as raw_data_payload
                from (select {names} from {relation} {of_load}) as e
            ) as s
            on
                m.tenant_slug = s.tenant_slug
                and m.source_platform = s.source_platform
                and md5(cast(m.raw_data_payload as varchar))
                = md5(cast(s.raw_data_payload as varchar))
            when not matched then insert values (
                s.tenant_slug, s.source_platform, md5(cast(s.raw_data_payload as varchar)), 'naive',
                cast(current_timestamp at time zone 'UTC' as timestamp), s.raw_data_payload
            )
        """

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            landing = quoted_text(str(self.history.settings.landing))
            connection.execute(f"attach {landing} as landing (read_only)")
            yield connection
