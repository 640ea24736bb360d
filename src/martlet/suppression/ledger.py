"""The erasure ledger: who was erased, as keyed digests in a file that only its owner reads.

It lies outside of warehouse and landing, and a restored backup is joined with the one that is
there: what was erased after the backup was made stays erased.
"""

import hmac
import json
import os
import secrets
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from martlet.errors import BadInputError, MartletError
from martlet.settings import Settings

VERSION = 1
LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class Erasure:
    """One identifier of one person at one tenant; `key` names the secret of its digest.

    It keeps the person away from the beginning; `is_finished` says that all that was there went.
    """

    tenant: str
    key: str
    digest: str
    erased_at: str
    is_finished: bool = False


@dataclass(frozen=True)
class ErasureLedger:
    """All erasures of an installation, and the secrets that their digests were made with."""

    keys: dict[str, str] = field(default_factory=dict)
    erasures: tuple[Erasure, ...] = ()

    def tenants(self) -> set[str]:
        """Return the tenants of which somebody was erased."""
        return {erasure.tenant for erasure in self.erasures}

    def subjects(self, tenant: str) -> "ErasedSubjects":
        """Return what recognises the tenant's erased persons."""
        by_key: dict[str, set[str]] = {}
        for erasure in self.erasures:
            if erasure.tenant == tenant:
                by_key.setdefault(erasure.key, set()).add(erasure.digest)
        return ErasedSubjects(
            tenant, tuple((self.keys[key], frozenset(found)) for key, found in by_key.items())
        )

    def with_subjects(self, tenant: str, values: Iterable[str], now: datetime) -> "ErasureLedger":
        """Return the ledger with these identifiers too, each once."""
        keys = self.keys or {secrets.token_hex(4): secrets.token_hex(32)}
        name, key = next(iter(keys.items()))
        known = {(e.tenant, e.digest) for e in self.erasures}
        digests = dict.fromkeys(_digest(key, tenant, normalized(value)) for value in values)
        new = tuple(
            Erasure(tenant, name, digest, now.isoformat(timespec="seconds"))
            for digest in digests
            if (tenant, digest) not in known
        )
        return ErasureLedger(keys, self.erasures + new)

    def finished(self, tenant: str, values: Iterable[str]) -> "ErasureLedger":
        """Return the ledger with the erasures of these identifiers as finished."""
        spelled = [normalized(value) for value in values]
        known = {_digest(key, tenant, value) for key in self.keys.values() for value in spelled}
        return ErasureLedger(
            self.keys,
            tuple(
                replace(e, is_finished=True) if e.tenant == tenant and e.digest in known else e
                for e in self.erasures
            ),
        )

    def unfinished(self) -> set[str]:
        """Return the tenants of which an erasure was killed before its end."""
        return {erasure.tenant for erasure in self.erasures if not erasure.is_finished}

    def joined(self, other: "ErasureLedger") -> "ErasureLedger":
        """Return what either of two ledgers knows."""
        known = {(e.tenant, e.key, e.digest): e for e in (*other.erasures, *self.erasures)}
        return ErasureLedger({**other.keys, **self.keys}, tuple(known.values()))

    def without(self, tenant: str) -> "ErasureLedger":
        """Return the ledger without what it knows of a tenant."""
        kept = tuple(erasure for erasure in self.erasures if erasure.tenant != tenant)
        return ErasureLedger(self.keys, kept)


@dataclass(frozen=True)
class ErasedSubjects:
    """Recognises the erased persons of one tenant by any of their identifiers."""

    tenant: str
    digests: tuple[tuple[str, frozenset[str]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.digests)

    def among(self, values: Iterable[str]) -> set[str]:
        """Return those of the values, as they are spelled, that identify an erased person."""
        return {
            value
            for value in values
            if any(
                _digest(key, self.tenant, normalized(value)) in known for key, known in self.digests
            )
        }


def normalized(value: str) -> str:
    """Return an identifier in the one spelling that its digest is made of."""
    return unicodedata.normalize("NFC", value).strip().casefold()


def refuse_unfit(values: Collection[str]) -> None:
    """Raise `BadInputError` for what identifies nobody: shops write 0 for every guest."""
    for value in values:
        if normalized(value) in {"", "0", "-1", "null", "none", "nan", "undefined", "anonymous"}:
            raise BadInputError(
                f"{value!r} identifies nobody",
                where="--subject",
                remedy="give an e-mail address, or the id that the shop or tracker knows "
                "the person by",
            )


def ledger_file(settings: Settings) -> Path:
    """Return where the erasure ledger lies."""
    return settings.home / "erasures.json"


def read_ledger(path: Path) -> ErasureLedger:
    """Return the ledger of a file; an empty one where there is no file.

    Raises `MartletError` for one that cannot be read: to go on would let the erased come back.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] > VERSION:
            raise MartletError(
                f"the erasure ledger was made by a newer martlet: version {document['version']}, "
                f"this program knows {VERSION}",
                where=str(path),
                remedy="use the newer program",
            )
        ledger = ErasureLedger(
            dict(document["keys"]), tuple(Erasure(**erasure) for erasure in document["erasures"])
        )
        for erasure in ledger.erasures:
            ledger.keys[erasure.key]
    except FileNotFoundError:
        return ErasureLedger()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MartletError(
            f"the erasure ledger cannot be read: {error!r}",
            where=str(path),
            remedy="put back the file of a backup; without it, erased persons would land again",
        ) from error
    return ledger


@contextmanager
def changed_ledger(settings: Settings) -> Iterator[list[ErasureLedger]]:
    """Give the ledger in a list of one; what the list holds at the end is written, at once."""
    path = ledger_file(settings)
    folder = settings.home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "erasures.lock", timeout=LOCK_SECONDS):
            held = [read_ledger(path)]
            before = held[0]
            yield held
            if held[0] != before:
                write_ledger(path, held[0])
    except Timeout as error:
        raise MartletError(
            "another process writes the erasure ledger", where=str(path), remedy="try again"
        ) from error


def write_ledger(path: Path, ledger: ErasureLedger) -> None:
    """Replace the file; its secrets are for its owner only."""
    document = {
        "version": VERSION,
        "keys": ledger.keys,
        "erasures": [asdict(erasure) for erasure in ledger.erasures],
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def moment_now() -> datetime:
    """Return the moment that an erasure is dated."""
    return datetime.now(UTC)


def _digest(key: str, tenant: str, value: str) -> str:
    message = json.dumps([tenant, value], ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hmac.digest(bytes.fromhex(key), message, "sha256").hex()
