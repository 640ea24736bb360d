"""Cursors: where the next page of a question begins, sealed so that nobody else can make one."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from martlet.semantic.errors import QueryRefusedError
from martlet.semantic.typed import Kind

# What a request may hold; a longer position is told by the number of rows before it.
LONGEST = 8_000
_SEAL_BYTES = 16


@dataclass(frozen=True)
class Position:
    """After `seen` rows of a version; `last` are the order values of the last one, if they fit."""

    version: str
    seen: int
    last: tuple[Any, ...] | None


class Cursors:
    """Writes and reads cursors with one key, that of the installation."""

    def __init__(self, key: str) -> None:
        self._key = sha256(f"cursors of {key}".encode()).digest()

    def write(self, position: Position, question: str) -> str:
        """Return the cursor of a position in the answer to a question, given as its digest."""
        told = [position.version, question, position.seen]
        if position.last is not None:
            token = self._sealed([*told, [_plain(value) for value in position.last]])
            if len(token) <= LONGEST:
                return token
        return self._sealed([*told, None])

    def read(self, token: str, question: str) -> tuple[str, int, list[Any] | None]:
        """Return version, rows seen and the last row's values as JSON has them.

        Raises `QueryRefusedError` when it is not of this installation, or of another question.
        """
        try:
            packed = base64.b64decode(
                token + "=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError) as error:
            raise _refused("is not one that an answer gave") from error
        seal, text = packed[:_SEAL_BYTES], packed[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(text)):
            raise _refused("is not one that an answer gave")
        version, of_question, seen, last = json.loads(text)
        if of_question != question:
            raise _refused("belongs to another question")
        return str(version), int(seen), last

    def _sealed(self, told: list[Any]) -> str:
        text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(self._seal(text) + text).decode().rstrip("=")

    def _seal(self, text: bytes) -> bytes:
        return hmac.new(self._key, text, sha256).digest()[:_SEAL_BYTES]


def last_values(last: Sequence[Any], kinds: Sequence[Kind]) -> tuple[Any, ...]:
    """Return order values as they are bound, from their form in JSON."""
    return tuple(_typed(value, kind) for value, kind in zip(last, kinds, strict=True))


def _refused(why: str) -> QueryRefusedError:
    return QueryRefusedError(
        f"the cursor {why}",
        field="cursor",
        remedy="ask again without a cursor, and then with the next_cursor of that very answer",
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _typed(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind == "decimal":
        return Decimal(value)
    if kind == "date":
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if kind == "moment" else value
