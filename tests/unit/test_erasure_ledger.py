"""The erasure ledger recognises who was erased, names nobody, and is never guessed at."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from martlet.errors import BadInputError, MartletError
from martlet.landing.batches import ROW_NUMBER, LandedBatch, RejectedRow, SpilledRows
from martlet.landing.erased import without_erased
from martlet.settings import Settings
from martlet.suppression.ledger import (
    ErasureLedger,
    changed_ledger,
    ledger_file,
    read_ledger,
    refuse_unfit,
)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MAIL = "Jane.Doe@example.org"


def _ledger(*values: str) -> ErasureLedger:
    return ErasureLedger().with_subjects("acme", values, NOW)


def _batch(rows: pa.Table, rejected: tuple[RejectedRow, ...] = ()) -> LandedBatch:
    return LandedBatch(
        platform="shopify",
        connection="main",
        object="orders",
        loader="native",
        rows=rows,
        rejected=rejected,
        mode="upsert",
        is_complete=False,
        scope_accounts=(),
        scope_start=None,
        scope_end=date(2026, 5, 1),
        extracted_at=NOW.replace(tzinfo=None),
    )


ROWS = pa.table(
    {
        "email": [MAIL.upper(), None, None, "else@example.org"],
        "customer": [None, '{"id":77}', None, '{"id":78}'],
        "note": [None, None, "call jane.doe%40example.org!", None],
        ROW_NUMBER: [0, 1, 2, 3],
    }
)


@pytest.mark.parametrize("spelled", [MAIL, " jane.doe@EXAMPLE.org ", "JANE.DOE@example.org"])
def test_an_identifier_is_recognised_however_it_is_spelled(spelled: str) -> None:
    assert _ledger(MAIL).subjects("acme").among([spelled, "x"]) == {spelled}


def test_who_was_erased_at_one_tenant_lands_at_another() -> None:
    assert not _ledger(MAIL).subjects("beta")


def test_an_identifier_is_kept_once_and_as_a_digest_only(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, tmp_path / "tenants.yaml")
    for _ in range(2):
        with changed_ledger(settings) as held:
            held[0] = held[0].with_subjects("acme", [MAIL], NOW)

    text = ledger_file(settings).read_text()

    assert text.count('"digest"') == 1
    assert "jane" not in text.lower()
    assert ledger_file(settings).stat().st_mode & 0o077 == 0


def test_two_ledgers_with_different_secrets_are_joined() -> None:
    joined = _ledger(MAIL).joined(_ledger("4711"))

    assert joined.subjects("acme").among([MAIL, "4711", "4712"]) == {MAIL, "4711"}


def test_an_erasure_is_unfinished_until_it_is_said_to_be_finished() -> None:
    begun = _ledger(MAIL, "4711")

    assert begun.unfinished() == {"acme"}
    assert begun.finished("acme", [MAIL]).unfinished() == {"acme"}
    assert begun.finished("acme", [MAIL.upper(), "4711"]).unfinished() == set()


@pytest.mark.parametrize("content", ["{", "{}", '{"version": 99}', '{"version": 1, "keys": []}'])
def test_a_ledger_that_cannot_be_read_stops_the_landing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "erasures.json"
    file.write_text(content)

    with pytest.raises(MartletError):
        read_ledger(file)


@pytest.mark.parametrize("value", ["", " ", "0", "NULL", "anonymous"])
def test_what_identifies_nobody_is_refused(value: str) -> None:
    with pytest.raises(BadInputError):
        refuse_unfit([value])


def test_records_are_dropped_by_field_by_member_and_by_an_address_anywhere() -> None:
    erased = _ledger(MAIL, "77").subjects("acme")
    raw = '{"id":"x","email":"jane.doe@example.org"}'
    refused = (RejectedRow(4, "bad", None, raw), RejectedRow(5, "bad", None, "no json"))

    kept = without_erased(_batch(ROWS, refused), erased)

    assert isinstance(kept.rows, pa.Table)
    assert kept.rows.column(ROW_NUMBER).to_pylist() == [3]
    assert [row.row_number for row in kept.rejected] == [5]
    assert kept.erased == 4
    assert kept.received == 6


def test_rows_that_wait_on_disk_are_dropped_table_by_table() -> None:
    waiting = SpilledRows(ROWS.schema, 8, lambda: iter([ROWS, ROWS]))

    kept = without_erased(replace(_batch(ROWS), rows=waiting), _ledger(MAIL, "77").subjects("acme"))

    assert isinstance(kept.rows, SpilledRows)
    assert kept.rows.num_rows == sum(t.num_rows for t in kept.rows.tables()) == 2
    assert kept.erased == 6


def test_without_an_erasure_a_batch_stays_what_it_is() -> None:
    batch = _batch(ROWS)

    assert without_erased(batch, ErasureLedger().subjects("acme")) is batch
    assert without_erased(batch, _ledger("nobody@x.org").subjects("acme")) is batch
