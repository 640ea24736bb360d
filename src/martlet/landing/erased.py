"""Drops what would bring an erased person back, before a byte of it is written."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from martlet.landing.batches import LandedBatch, RejectedRow, SpilledRows
from martlet.suppression.ledger import ErasedSubjects
from martlet.suppression.subjects import (
    addresses,
    identifiers,
    identifiers_of_document,
    subject_paths,
)

_PLACE = "_martlet_place"


def without_erased(batch: LandedBatch, erased: ErasedSubjects) -> LandedBatch:
    """Return the batch without the records of erased persons, and how many they were."""
    paths = subject_paths(batch.platform, batch.object)
    if not erased or not paths:
        return batch
    rejected = _kept_rejected(batch.rejected, paths, erased)
    rows = batch.rows
    kept: pa.Table | SpilledRows
    if isinstance(rows, SpilledRows):
        source = rows

        def tables() -> Iterator[pa.Table]:
            return (_kept(table, paths, erased) for table in source.tables())

        kept = SpilledRows(rows.schema, sum(t.num_rows for t in tables()), tables)
    else:
        kept = _kept(rows, paths, erased)
    gone = rows.num_rows - kept.num_rows + len(batch.rejected) - len(rejected)
    return replace(batch, rows=kept, rejected=rejected, erased=gone) if gone else batch


def _kept(table: pa.Table, paths: tuple[tuple[str, ...], ...], erased: ErasedSubjects) -> pa.Table:
    columns = {
        field.name: "JSON" if _is_document(field.name, paths) else "VARCHAR"
        for field in table.schema
    }
    texts = [f'"{f.name}"' for f in table.schema if pa.types.is_string(f.type)]
    mask = _hits(table, [identifiers(columns, paths), addresses(texts)], erased)
    return table.filter(pc.invert(mask)) if mask is not None else table


def _is_document(name: str, paths: tuple[tuple[str, ...], ...]) -> bool:
    return any(len(path) > 1 and path[0].lower() == name.lower() for path in paths)


def _kept_rejected(
    rejected: tuple[RejectedRow, ...], paths: tuple[tuple[str, ...], ...], erased: ErasedSubjects
) -> tuple[RejectedRow, ...]:
    if not rejected:
        return rejected
    table = pa.table({"raw": [row.raw_record for row in rejected]})
    mask = _hits(table, [identifiers_of_document("raw", paths), addresses(["raw"])], erased)
    if mask is None:
        return rejected
    return tuple(row for row, hit in zip(rejected, mask.to_pylist(), strict=True) if not hit)


def _hits(table: pa.Table, lists: list[str], erased: ErasedSubjects) -> pa.Array | None:
    """Return for each row whether one of its texts is an erased person's; None where none is."""
    if not table.num_rows:
        return None
    numbered = table.append_column(_PLACE, pa.array(range(table.num_rows), pa.int64()))
    with duckdb.connect(":memory:") as connection:
        connection.register("came", numbered)
        connection.execute(
            f"create temp table found as select {_PLACE} as place, "
            f"unnest(list_concat({', '.join(lists)})) as text from came"
        )
        texts = connection.execute("select distinct text from found").fetchall()
        known = sorted(erased.among(text for (text,) in texts))
        if not known:
            return None
        connection.register("known", pa.table({"text": known}))
        places = connection.execute(
            "select distinct place from found semi join known using (text)"
        ).to_arrow_table()
    return pc.is_in(numbered.column(_PLACE), places.column("place")).combine_chunks()
