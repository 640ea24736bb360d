"""Reads JSON as strictly as it can be read: what two readers could understand in two ways is bad.

The rules are those of I-JSON (RFC 7493): UTF-8, no name twice in an object, no lone surrogates, and
of course no NaN. Whole numbers beyond 64 bits are refused later, as values.
"""

import json
from typing import Any, Never

from martlet.errors import MartletError

_INT64 = range(-(2**63), 2**63)


class MalformedJsonError(MartletError):
    """The text is no JSON that has one meaning."""


class NumberOutOfRangeError(MartletError):
    """A number is JSON, but beyond what can be compared with a column."""


def read_json(content: bytes) -> Any:
    """Return the value that a JSON text stands for."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJsonError(f"the text is no UTF-8 at byte {error.start}") from None
    if not text.strip(" \t\r\n"):
        raise MalformedJsonError("there is no JSON: it is empty")
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise MalformedJsonError(f"no JSON at {place}: {error.msg}") from None
    except UnicodeEncodeError:
        raise MalformedJsonError("a text holds half of a surrogate pair") from None
    except RecursionError:
        raise MalformedJsonError("nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedJsonError("an object has the same name twice")
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > 20 or int(digits) not in _INT64:
        raise NumberOutOfRangeError("a whole number does not fit into 64 bits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise NumberOutOfRangeError("a number is larger than a double can be")
    return value


def _constant(name: str) -> Never:
    raise MalformedJsonError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_whole_number,
    parse_float=_number,
    parse_constant=_constant,
)
