"""JSON in which no number changes: 12.10 stays 12.10, an id of 19 digits keeps all of them."""

import json
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class ExactNumber(float):
    """A number whose text is not what Python would write for it."""

    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        number = super().__new__(cls, text)
        number.text = text
        return number


class RepeatedNameError(ValueError):
    """An object states one name twice; which value is meant cannot be known."""


class ExactParser:
    """Parses JSON texts; `has_exact` and `has_nan` tell of the text parsed last."""

    def __init__(self) -> None:
        self.has_exact = False
        self.has_nan = False
        self._decoder = json.JSONDecoder(
            parse_float=self._number, parse_constant=self._constant, object_pairs_hook=_object
        )

    def parse(self, text: str) -> Any:
        """Return the value; raises `ValueError` or `RecursionError` where the text is no JSON.

        NaN and infinity are let through as floats, so that their place can be told.
        """
        self.has_exact = self.has_nan = False
        return self._decoder.decode(text)

    def parse_at(self, text: str, start: int) -> tuple[Any, int]:
        """Return the value that begins at `start`, and where it ends."""
        self.has_exact = self.has_nan = False
        return self._decoder.raw_decode(text, start)

    def _number(self, text: str) -> float:
        number = float(text)
        if repr(number) == text:
            return number
        if number in (float("inf"), float("-inf")):
            self.has_nan = True
        self.has_exact = True
        return ExactNumber(text)

    def _constant(self, token: str) -> float:
        self.has_nan = True
        return float(token)


def exact_number(text: str) -> float:
    """Return a number that is written as `text`, with a text of its own only where it needs one."""
    number = float(text)
    return number if repr(number) == text else ExactNumber(text)


def compact(value: Any, *, has_exact: bool = True) -> str:
    """Return the compact JSON text of a parsed value, its numbers as they were."""
    if not has_exact:
        return _encode(value)
    return _exact_text(value)


def number_text(value: float) -> str:
    """Return a number as its source wrote it."""
    return value.text if isinstance(value, ExactNumber) else repr(value)


def path_to_nan(value: Any, path: str = "") -> str | None:
    """Return the dotted path of the first NaN or infinity in a value, or None."""
    if isinstance(value, float):
        is_finite = value - value == 0
        return None if is_finite else path
    members: Iterator[tuple[Any, Any]] | enumerate[Any]
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        return None
    for key, member in members:
        found = path_to_nan(member, f"{path}.{key}" if path else str(key))
        if found is not None:
            return found
    return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise RepeatedNameError(f"the name {name!r} is stated twice")
            seen.add(name)
    return members


def _exact_text(value: Any) -> str:
    """Spell a value out member by member: the encoder would write its own text of a number."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        members = []  # no comprehension: it would halve the depth that can be written
        for name, member in value.items():
            members.append(f"{encode_basestring(name)}:{_exact_text(member)}")
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        items = []
        for member in value:
            items.append(_exact_text(member))
        return "[" + ",".join(items) + "]"
    return number_text(value) if isinstance(value, float) else _encode(value)
