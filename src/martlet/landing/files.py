"""Turns a user's file into a batch that can be landed."""

from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from martlet.contracts.base import ObjectContract
from martlet.errors import BadInputError, nearest
from martlet.landing.batches import LandedBatch, RejectedRow
from martlet.landing.checks import check_table
from martlet.landing.fitting import VersionFit, best_fit, fit_records
from martlet.landing.records import RawRecord, RecordFile, open_records
from martlet.landing.spilled import RowStore

_SAMPLE = 1_000
_CHUNK = 10_000


def read_file(
    file: Path,
    *,
    platform: str,
    connection: str,
    contract: ObjectContract,
    loader: str | None,
    extracted_at: datetime,
    folder: Path | None = None,
) -> LandedBatch:
    """Return the file's records as changes (`upsert`), those that do not fit set apart.

    Without `loader`, the published version is the one that the records fit best. The rows of
    a large file wait in `folder`, else where temporary files are kept. Raises `BadInputError`
    where nothing of the file can be used.
    """
    opened = open_records(file)
    sample = list(islice(opened.records, _SAMPLE))
    fit = _chosen_fit(file, contract, loader, opened, sample)
    store = RowStore(folder)
    rejected: list[RejectedRow] = []
    records = chain(sample, opened.records)
    while (first := next(records, None)) is not None:
        # One at a time: parsed values are many small objects, costly to keep until all are fitted.
        fitted, refused = fit_records(fit, chain((first,), islice(records, _CHUNK - 1)))
        accepted, unkeyed = check_table(fit.table(fitted), contract, fit.version.loader)
        came = {row.row_number: row for row in fitted} if unkeyed else {}
        rejected += refused
        rejected += [
            RejectedRow(r.row_number, r.error, r.path, came[r.row_number].text()) for r in unkeyed
        ]
        store.add(accepted)
    if not store.has_tables:
        store.add(fit.table([]))
    return LandedBatch(
        platform=platform,
        connection=connection,
        object=contract.object,
        loader=fit.version.loader,
        rows=store.rows(),
        rejected=tuple(sorted(rejected, key=lambda row: row.row_number)),
        mode="upsert",
        is_complete=False,
        scope_accounts=(),
        scope_start=None,
        scope_end=None,
        extracted_at=extracted_at,
    )


def _chosen_fit(
    file: Path,
    contract: ObjectContract,
    loader: str | None,
    opened: RecordFile,
    sample: list[RawRecord],
) -> VersionFit:
    fits = [VersionFit(version, is_text=opened.is_text) for version in contract.versions]
    if loader is not None:
        by_loader = {fit.version.loader: fit for fit in fits}
        if loader not in by_loader:
            raise BadInputError(
                f"{contract.object} has no version {loader!r}; {nearest(loader, by_loader)}",
                where="--loader",
                remedy="leave --loader out to let the records decide",
            )
        fits = [fit for fit in fits if fit.version.loader == loader]
    if sample and not any(record.is_readable for record in sample):
        raise BadInputError(
            f"no record of the file is a JSON object; the first: {sample[0].error}",
            where=str(file),
            remedy="write one JSON object a line",
        )
    names = dict.fromkeys([*opened.names, *(n for r in sample for n in r.fields or ())])
    if names and not any(fit.knows_any(names) for fit in fits):
        raise BadInputError(
            f"no field of {contract.object} is in the file, which has {_listed(list(names))}; "
            f"expected are {_listed(list(fits[0].columns))}",
            where=str(file),
            remedy="check --platform and --object",
        )
    return best_fit(fits, sample)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
