"""`schema.lock.json`: the shapes that a connector has published. It only grows."""

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from martlet.contracts.base import ObjectContract, Version
from martlet.contracts.library import connector_contracts
from martlet.contracts.physical import personal_fields, physical_columns
from martlet.errors import BrokenPromiseError
from martlet.registry.fingerprint import schema_family_fingerprint, schema_fingerprint


@dataclass(frozen=True)
class PublishedShape:
    """One published version of an object's landing table, as one loader types it."""

    object: str
    loader: str
    version: int
    source_schema_hash: str
    schema_family_hash: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    optional_key: tuple[str, ...]
    cursor: str | None
    personal: tuple[str, ...]
    subject: tuple[str, ...]


def lock_path(connector: str) -> Path:
    """Return where the connector's lock lies."""
    return Path(str(files("martlet.contracts"))) / connector / "schema.lock.json"


def published_shapes(connector: str) -> tuple[PublishedShape, ...]:
    """Return the connector's published shapes, oldest first; none where nothing is published."""
    path = lock_path(connector)
    if not path.exists():
        return ()
    document = json.loads(path.read_text(encoding="utf-8"))
    return tuple(
        PublishedShape(
            **{
                **entry,
                "columns": tuple((name, kind) for name, kind in entry["columns"]),
                **{k: tuple(entry[k]) for k in ("key", "optional_key", "personal", "subject")},
            }
        )
        for entry in document["published"]
    )


def newest_shape(connector: str, object_: str, loader: str = "native") -> PublishedShape:
    """Return the newest published shape; raises `BrokenPromiseError` where there is none."""
    shapes = [s for s in published_shapes(connector) if (s.object, s.loader) == (object_, loader)]
    if not shapes:
        raise BrokenPromiseError(
            f"{connector} has published no {loader} shape of {object_}",
            where=str(lock_path(connector)),
            remedy="make generate",
        )
    return shapes[-1]


def current_shapes(connector: str) -> tuple[PublishedShape, ...]:
    """Return the shapes that the contracts state now, each with the version it has or would get."""
    published = published_shapes(connector)
    return tuple(
        _shape(contract, version, published)
        for contract in connector_contracts(connector).values()
        for version in contract.versions
    )


def publish(connector: str) -> tuple[PublishedShape, ...]:
    """Append to the lock what the contracts state and it lacks; return what was added.

    Raises `BrokenPromiseError` when a published field is gone or has another type: a published
    shape is frozen, new optional fields are all that may come.
    """
    published = published_shapes(connector)
    added = tuple(shape for shape in current_shapes(connector) if shape not in published)
    for shape in added:
        _refuse_broken_shape(connector, shape, published)
    if added:
        lock_path(connector).write_text(lock_text(connector, published + added), encoding="utf-8")
    return added


def _refuse_broken_shape(
    connector: str, shape: PublishedShape, published: tuple[PublishedShape, ...]
) -> None:
    earlier = [s for s in published if (s.object, s.loader) == (shape.object, shape.loader)]
    if not earlier:
        return
    stated = dict(shape.columns)
    broken = [
        f"{name} was {kind}, now {stated.get(name, 'gone')}"
        for name, kind in earlier[-1].columns
        if stated.get(name) != kind
    ]
    if broken:
        raise BrokenPromiseError(
            f"the published {shape.loader} shape of {connector} {shape.object} is frozen, but "
            + "; ".join(broken),
            where=f"src/martlet/contracts/{connector}",
            remedy="restore the fields, or give the connector a new API version: "
            "docs/cookbooks/version_a_connector.md",
        )


def lock_text(connector: str, shapes: tuple[PublishedShape, ...]) -> str:
    """Return the lock file of these shapes; a column a line, so that a difference can be read."""
    entries = ",\n".join(_entry_text(shape) for shape in shapes)
    return f'{{\n"connector": {json.dumps(connector)},\n"published": [\n{entries}\n]\n}}\n'


def _entry_text(shape: PublishedShape) -> str:
    entry = asdict(shape)
    columns = ",\n    ".join(json.dumps(list(column)) for column in entry.pop("columns"))
    fields = ",\n  ".join(f'"{key}": {json.dumps(value)}' for key, value in entry.items())
    return f'{{\n  {fields},\n  "columns": [\n    {columns}\n  ]\n}}'


def _shape(
    contract: ObjectContract, version: Version, published: tuple[PublishedShape, ...]
) -> PublishedShape:
    columns = physical_columns(version.record)
    personal, subject = personal_fields(version.record)
    earlier = [s for s in published if (s.object, s.loader) == (contract.object, version.loader)]
    stated = PublishedShape(
        object=contract.object,
        loader=version.loader,
        version=len(earlier) + 1,
        source_schema_hash=schema_fingerprint(columns),
        schema_family_hash=schema_family_fingerprint(columns),
        columns=tuple(columns.items()),
        key=contract.key,
        optional_key=contract.optional_key,
        cursor=contract.cursor,
        personal=tuple(personal),
        subject=tuple(subject),
    )
    known = [s for s in earlier if _same_but_version(s, stated)]
    return known[-1] if known else stated


def _same_but_version(one: PublishedShape, other: PublishedShape) -> bool:
    return asdict(one) | {"version": 0} == asdict(other) | {"version": 0}
