"""What a backup says of itself: its files with digests, written when all of them are there."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from martlet.engines.layout import LAYOUT
from martlet.errors import BadInputError

FORMAT = 1
NAME = "manifest.json"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class CopiedFile:
    """One file: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All of a backup; `files` by their path within it, `folders` those that hold none."""

    files: Mapping[str, CopiedFile]
    created_at: str
    martlet: str
    duckdb: str
    folders: Sequence[str] = ()
    layout: int = LAYOUT
    format: int = FORMAT

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


def new_manifest(files: Mapping[str, CopiedFile], folders: Sequence[str] = ()) -> Manifest:
    """Return the manifest of a copy made now by this program."""
    return Manifest(
        files,
        datetime.now(UTC).isoformat(timespec="seconds"),
        version("martlet"),
        version("duckdb"),
        folders,
    )


def copied(source: Path, target: Path) -> CopiedFile:
    """Copy a file, down to the disk, and return what it was while it was copied."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as written:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
            written.write(chunk)
            size += len(chunk)
        written.flush()
        os.fsync(written.fileno())
    return CopiedFile(size, digest.hexdigest())


def described(path: Path) -> CopiedFile:
    """Return size and digest of a file as it is."""
    with path.open("rb") as read:
        digest = hashlib.file_digest(read, "sha256").hexdigest()
    return CopiedFile(path.stat().st_size, digest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Finish a backup: without this file it is none."""
    document = {**asdict(manifest), "files": {k: asdict(v) for k, v in manifest.files.items()}}
    draft = folder / f".{NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NAME)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a finished backup that this program can read.

    Raises `BadInputError` for what is none, was left half-written, or is a newer program's.
    """
    try:
        document = json.loads((folder / NAME).read_text(encoding="utf-8"))
        files = {name: CopiedFile(**file) for name, file in document.pop("files").items()}
        manifest = Manifest(files, **document)
    except (FileNotFoundError, NotADirectoryError) as error:
        what = "was left half-written" if folder.is_dir() and any(folder.iterdir()) else "is none"
        raise BadInputError(
            f"this backup {what}: it has no {NAME}",
            where=str(folder),
            remedy="name another backup; delete this one",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"the manifest cannot be read: {error!r}",
            where=str(folder / NAME),
            remedy="name another backup",
        ) from error
    if manifest.format > FORMAT or manifest.layout > LAYOUT:
        raise BadInputError(
            f"this backup was made by a newer martlet, {manifest.martlet}",
            where=str(folder),
            remedy="restore it with that program",
        )
    for name in (*files, *manifest.folders):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise BadInputError(
                f"the manifest names {name!r}, which is not in the backup",
                where=str(folder / NAME),
                remedy="this is no backup of martlet: do not use it",
            )
    return manifest


def refuse_damaged(folder: Path, manifest: Manifest) -> None:
    """Raise `BadInputError` where a file is not what the manifest says; read all of them."""
    for name, stated in manifest.files.items():
        path = folder / name
        if not path.is_file():
            what = "is missing"
        elif path.stat().st_size != stated.size or described(path) != stated:
            what = "is not what was backed up"
        else:
            continue
        raise BadInputError(
            f"{name} {what}", where=str(folder), remedy="name another backup; this one is damaged"
        )
