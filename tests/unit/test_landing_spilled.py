"""Rows of a large file wait on disk: what lands is the same, whether they did or not."""

from pathlib import Path

import pyarrow as pa
import pytest

from martlet.landing.batches import SpilledRows
from martlet.landing.spilled import RowStore

CHUNKS = (
    pa.table({"a": ["1", None], "_martlet_row": [0, 1]}),
    pa.table({"a": ["ü"], "b": ["{}"], "_martlet_row": [2]}),
    pa.table({"a": ["4", "5"], "_martlet_row": [3, 5]}),
)
EXPECTED = pa.table(
    {
        "a": ["1", None, "ü", "4", "5"],
        "b": [None, None, "{}", None, None],
        "_martlet_row": [0, 1, 2, 3, 5],
    }
)


def stored(folder: Path | None, held_rows: int) -> pa.Table | SpilledRows:
    store = RowStore(folder, held_rows=held_rows)
    for chunk in CHUNKS:
        store.add(chunk)
    return store.rows()


def test_few_rows_stay_in_memory_with_the_columns_of_all(tmp_path: Path) -> None:
    assert stored(tmp_path, held_rows=5).equals(EXPECTED)


@pytest.mark.parametrize("held_rows", [0, 2, 4])
def test_many_rows_come_back_in_order_as_often_as_they_are_read(
    tmp_path: Path, held_rows: int
) -> None:
    rows = stored(tmp_path / "new", held_rows)

    assert isinstance(rows, SpilledRows)
    assert (rows.num_rows, rows.schema) == (5, EXPECTED.schema)
    for _ in range(2):
        assert pa.concat_tables(rows.tables()).equals(EXPECTED)


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    rows = stored(tmp_path, held_rows=0)

    assert rows.num_rows == 5
    assert list(tmp_path.iterdir()) == []


def test_a_change_is_made_table_by_table(tmp_path: Path) -> None:
    rows = stored(tmp_path, held_rows=0)
    assert isinstance(rows, SpilledRows)

    changed = rows.changed(EXPECTED.drop(["b"]).schema, lambda table: table.drop(["b"]))
    assert changed.num_rows == 5
    assert pa.concat_tables(changed.tables()).equals(EXPECTED.drop(["b"]))
