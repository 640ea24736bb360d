"""Collects everything that is wrong with a file, so that a person corrects it in one go."""

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from martlet.errors import BadInputError, nearest

Location = tuple[str | int, ...]
ABSENT = object()
DERIVED: JsonDict = {"derived": True}
NOT_A_MAPPING = "must be a mapping of keys to values"
MAX_SHOWN = 80


class ConfigModel(BaseModel):
    """Base of all configuration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Problem:
    """One thing that a person has to correct; `value` is `ABSENT` where there is none."""

    location: Location
    reason: str
    value: object = ABSENT

    def __str__(self) -> str:
        path = _dotted(self.location)
        shown = "" if self.value is ABSENT else f" value {_shorten(self.value)}:"
        return f"{path}:{shown} {self.reason}"


def top_level_problems(document: Mapping[str, Any], keys: Sequence[str]) -> list[Problem]:
    """Return unknown keys and a `version` other than 1, which is also the default."""
    problems = [
        Problem((key,), f"unknown key; {nearest(key, keys)}") for key in document if key not in keys
    ]
    version = document.get("version", 1)
    if version != 1 or not isinstance(version, int) or isinstance(version, bool):
        problems.append(Problem(("version",), "the only valid version is 1", version))
    return problems


def is_derived(field: FieldInfo) -> bool:
    """Tell whether a field follows from its place in the file, so that nobody writes it."""
    return field.json_schema_extra == DERIVED


def refuse(reason: str) -> PydanticCustomError:
    """Return the error that a validator raises to give `reason` word by word."""
    return PydanticCustomError("martlet", "{reason}", {"reason": reason})


def problems_of(error: ValidationError, root: type[BaseModel], prefix: Location) -> list[Problem]:
    """Return what Pydantic found, in our words; `prefix` locates `root` in the file."""
    return [_problem(details, root, prefix) for details in error.errors(include_url=False)]


def bad_file(path: Path, problems: Sequence[Problem]) -> BadInputError:
    """Return the one error that lists all problems of a file."""
    lines = list(dict.fromkeys(str(problem) for problem in problems))
    what = lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} problems", *lines])
    return BadInputError(what, where=str(path), remedy=f"correct {path.name}; nothing was written")


def closest(value: str, choices: Iterable[str], example: str) -> str:
    """Return the nearest of many choices whatever its case, or `example` when none is near."""
    folded = {choice.casefold(): choice for choice in choices}
    close = get_close_matches(value.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[close[0]]!r}?" if close else f"write for example {example!r}"


def _problem(details: ErrorDetails, root: type[BaseModel], prefix: Location) -> Problem:
    location = prefix + details["loc"]
    kind, value = details["type"], details["input"]
    if kind == "missing":
        return Problem(location, "this key is required")
    if kind == "extra_forbidden":
        known = _keys_at(root, details["loc"][:-1])
        return Problem(location, f"unknown key; {nearest(str(location[-1]), known)}", value)
    return Problem(location, _reason(details), value)


def _reason(details: ErrorDetails) -> str:
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if value is None and kind != "martlet":
        return "nothing stands after the key; give a value or remove the key"
    if kind == "string_type":
        return _not_text(value)
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in context["expected"].split(" or ")]
        choices = [part.strip(" '") for choice in choices for part in choice.split(",")]
        return f"not a valid choice; {nearest(str(value), choices)}"
    wording = _WORDING.get(kind)
    return wording.format(**context) if wording else details["msg"]


_WORDING = {
    "model_type": NOT_A_MAPPING,
    "dict_type": NOT_A_MAPPING,
    "tuple_type": "must be a list, such as [first, second]",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number, not in quotes",
    "float_type": "must be a number, not in quotes",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs at least {min_length}",
    "string_too_long": "at most {max_length} characters are allowed",
    "string_pattern_mismatch": "must match {pattern}",
}


def _not_text(value: object) -> str:
    if isinstance(value, bool):
        return "YAML reads this as true or false; put the text in quotes"
    if isinstance(value, int | float):
        return "YAML reads this as a number; put the text in quotes"
    return "must be text"


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """Return the keys that a person may write in the mapping at `location` within `model`."""
    annotation: Any = model
    for step in location:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = annotation.model_fields[str(step)].annotation
        else:
            annotation = typing.get_args(annotation)[1 if _is_mapping(annotation) else 0]
        if isinstance(annotation, types.UnionType):
            annotation = typing.get_args(annotation)[0]
    return [name for name, field in annotation.model_fields.items() if not is_derived(field)]


def _is_mapping(annotation: object) -> bool:
    return typing.get_origin(annotation) is dict


def _dotted(location: Location) -> str:
    steps = (f"[{s}]" if isinstance(s, int) else f".{_step(s)}" for s in location)
    return "".join(steps).removeprefix(".") or "top level"


def _step(key: str) -> str:
    return key if key and key.isprintable() and " " not in key else repr(key)


def _shorten(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
