"""The fingerprint: the MD5 of a table's physical columns and types."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5

from martlet.errors import BadInputError

# What loaders add for themselves; one object landed by two versions of a loader is one shape.
BOOKKEEPING = re.compile(
    r"^(_dlt_|_airbyte_|_ab_|_fivetran_|_sdc_|_martlet_|_stitch_|_hevo_|_rivery_|_portable_|__hevo_)"
)

CANONICAL_TYPES = {
    "INT1": "TINYINT",
    "INT2": "SMALLINT",
    "INT4": "INTEGER",
    "INT": "INTEGER",
    "INT8": "BIGINT",
    "LONG": "BIGINT",
    "FLOAT4": "FLOAT",
    "REAL": "FLOAT",
    "FLOAT8": "DOUBLE",
    "NUMERIC": "DECIMAL",
    "STRING": "VARCHAR",
    "TEXT": "VARCHAR",
    "CHAR": "VARCHAR",
    "BPCHAR": "VARCHAR",
    "BOOL": "BOOLEAN",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIMESTAMP_US": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "BYTEA": "BLOB",
    "BINARY": "BLOB",
    "VARBINARY": "BLOB",
}

FAMILIES = {
    "TINYINT": "int",
    "SMALLINT": "int",
    "INTEGER": "int",
    "BIGINT": "int",
    "HUGEINT": "int",
    "UTINYINT": "int",
    "USMALLINT": "int",
    "UINTEGER": "int",
    "UBIGINT": "int",
    "UHUGEINT": "int",
    "FLOAT": "float",
    "DOUBLE": "float",
    "DECIMAL": "decimal",
    "VARCHAR": "text",
    "UUID": "text",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "ts",
    "TIMESTAMP_S": "ts",
    "TIMESTAMP_MS": "ts",
    "TIMESTAMP_NS": "ts",
    "TIMESTAMPTZ": "tstz",
    "JSON": "json",
    "BLOB": "blob",
}


class EmptySchemaError(BadInputError):
    """A table has no column of its own: its shape would match every other empty table."""


class CollidingColumnsError(BadInputError):
    """Two columns have one name once case and Unicode form are folded."""


@dataclass(frozen=True)
class LandedShape:
    """A table's physical shape as its catalogue states it; columns in physical order."""

    source_schema_hash: str
    schema_family_hash: str
    columns: tuple[tuple[str, str], ...]
    bookkeeping: tuple[str, ...]


def fold_name(name: str) -> str:
    """Return the name as the fingerprint compares it: NFC, then case-folded."""
    return unicodedata.normalize("NFC", name).casefold()


def canonical_type(engine_type: str) -> str:
    """Return the canonical spelling of a type as a catalogue prints it, `DECIMAL(18,6)` kept."""
    spelled = re.sub(r"\s+", " ", engine_type.strip()).upper()
    if spelled.endswith("]") or spelled.startswith(("STRUCT", "MAP", "UNION", "LIST", "ARRAY")):
        return spelled
    base, bracket, rest = spelled.partition("(")
    base = CANONICAL_TYPES.get(base.strip(), base.strip())
    if base == "VARCHAR":  # a length limit is no part of the meaning
        return base
    return f"{base}({rest.replace(' ', '')}" if bracket else base


def type_family(engine_type: str) -> str:
    """Return the family of a type; nested types count as json, unknown ones as themselves."""
    canonical = canonical_type(engine_type)
    if canonical.endswith("]") or canonical.startswith(("STRUCT", "MAP", "UNION")):
        return "json"
    base = canonical.partition("(")[0]
    return FAMILIES.get(base, base.lower())


def schema_fingerprint(columns: Mapping[str, str]) -> str:
    """Return the MD5 that identifies a table by its physical shape.

    `columns` maps column name to engine type, as the catalogue prints it. Order and case do not
    matter; columns that a loader adds for itself do not count. Returns 32 lower-case hex digits.

    Raises `EmptySchemaError` when nothing is left to hash and `CollidingColumnsError` when two
    names fold to one.
    """
    return _digest("fp1", {name: canonical_type(kind) for name, kind in columns.items()})


def schema_family_fingerprint(columns: Mapping[str, str]) -> str:
    """Return the MD5 of the shape with every type reduced to its family."""
    return _digest("fam1", {name: type_family(kind) for name, kind in columns.items()})


def landed_shape(columns: Mapping[str, str]) -> LandedShape:
    """Return both fingerprints of a table and its columns, the loader's own set apart."""
    own = tuple((n, canonical_type(t)) for n, t in columns.items() if not is_bookkeeping(n))
    return LandedShape(
        source_schema_hash=schema_fingerprint(columns),
        schema_family_hash=schema_family_fingerprint(columns),
        columns=own,
        bookkeeping=tuple(n for n in columns if is_bookkeeping(n)),
    )


def is_bookkeeping(name: str) -> bool:
    """Say whether a loader added this column for itself."""
    return BOOKKEEPING.match(fold_name(name)) is not None


def _digest(version: str, columns: Mapping[str, str]) -> str:
    folded: dict[str, str] = {}
    for name, kind in columns.items():
        if is_bookkeeping(name):
            continue
        key = fold_name(name)
        if key in folded:
            raise CollidingColumnsError(
                f"columns {name!r} and another one are both {key!r} once folded",
                remedy="rename one of them at the loader",
            )
        folded[key] = kind
    if not folded:
        raise EmptySchemaError("the table has no column of its own, only a loader's bookkeeping")
    document = json.dumps(
        [version, sorted([name, kind] for name, kind in folded.items())],
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return md5(document.encode(), usedforsecurity=False).hexdigest()
