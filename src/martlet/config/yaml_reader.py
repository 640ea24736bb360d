"""Reads YAML into plain mappings, lists and scalars, and refuses what would be read by surprise."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from martlet.errors import BadInputError

MAX_DEPTH = 32
MAX_NODES = 1_000_000
MAX_NUMBER_LENGTH = 38

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_TRUTH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the file's top-level mapping; dates stay text.

    Raises `BadInputError`, with file, line and key, for a missing or unreadable file, bad syntax,
    a duplicate or non-text key, a number whose spelling YAML would change (0123 is 83), an unknown
    tag, and a document that is nested or repeated (by aliases) beyond any use.
    """
    text = _read_text(path)
    with collector_paused():
        return _top_level(text, path)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cycle collector: what reading keeps is no garbage, and looking costs most of it.

    A file of 67,000 lines takes 0.3 s instead of 1.2.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _top_level(text: str, path: Path) -> dict[str, Any]:
    try:
        _check_depth(text, path)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _syntax_error(error, path) from error
    if root is None:
        raise BadInputError("the file is empty", where=str(path), remedy="fill it, see README.md")
    if not isinstance(root, yaml.MappingNode):
        raise BadInputError(
            "the top level must be a mapping of keys to values",
            where=_where(path, root),
            remedy="begin the file with 'version: 1'",
        )
    return _Converter(path).mapping(root, 0)


class _Converter:
    """Turns composed nodes into values; counts what aliases repeat."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.nodes = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self.nodes += 1
        # An alias to its own parent nests without end, so this bound ends it too.
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise self._refuse(node, "aliases repeat more than any configuration needs")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            self._check_tag(node, {"seq"})
            return [self.value(item, depth + 1) for item in node.value]
        return self._scalar(node)

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        self._check_tag(node, {"map"})
        defaults: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                defaults = {**self._merged(value_node, depth), **defaults}
                continue
            key = self._key(key_node)
            if key in own:
                raise self._refuse(
                    key_node, f"key {key!r} occurs twice", "keep one of the two entries"
                )
            own[key] = self.value(value_node, depth + 1)
        return {**defaults, **own}

    def _merged(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in parts:
            content = self.value(part, depth + 1)
            if not isinstance(content, dict):
                raise self._refuse(part, "'<<' can only merge mappings", "merge a mapping's alias")
            merged = {**content, **merged}
        return merged

    def _key(self, node: yaml.Node) -> str:
        key = self._scalar(node) if isinstance(node, yaml.ScalarNode) else None
        if isinstance(key, str):
            return key
        written = node.value if isinstance(node, yaml.ScalarNode) else "this key"
        raise self._refuse(
            node,
            f"{written!r} is not read as text, and keys are text",
            "put the key in quotes, or indent its values below it",
        )

    def _scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        kind = self._check_tag(
            node, {"str", "int", "float", "bool", "null", "timestamp", "value", "merge"}
        )
        if _UNPRINTABLE.search(text):
            raise self._refuse(node, f"{text!r} holds a control character", "remove the character")
        if kind == "null":
            return None
        if kind == "bool" and text.lower() in _TRUTH:
            return _TRUTH[text.lower()]
        if kind in {"int", "float"}:
            number = _number(text)
            if number is None:
                raise self._refuse(
                    node,
                    f"{text!r} is a number that YAML would not keep as it is written",
                    f'write "{text}" in quotes if it is text (an account id), else plain digits',
                )
            return number
        return text

    def _check_tag(self, node: yaml.Node, allowed: set[str]) -> str:
        kind = str(node.tag).removeprefix(_TAG)
        if kind not in allowed:
            raise self._refuse(node, f"tag {node.tag!r} is not allowed", "remove the tag")
        return kind

    def _refuse(self, node: yaml.Node, what: str, remedy: str | None = None) -> BadInputError:
        return BadInputError(what, where=_where(self.path, node), remedy=remedy)


def _number(text: str) -> int | float | None:
    """Return the number, or None where YAML means another one than a person reads."""
    if len(text) > MAX_NUMBER_LENGTH:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if "." not in text:
        return None  # octal, hexadecimal, base 60, or with underscores
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadInputError(
            "there is no such file",
            where=str(path),
            remedy=f"create {path.name}, or run in the folder of the project",
        ) from error
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"byte {error.start} is not UTF-8", where=str(path), remedy="save the file as UTF-8"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BadInputError(f"cannot read the file: {error}", where=str(path)) from error


def _check_depth(text: str, path: Path) -> None:
    """Refuse deep nesting before composing, which recurses once for each level."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise BadInputError(
                f"nested more than {MAX_DEPTH} levels deep",
                where=_where(path, event),
                remedy="check brackets and indentation",
            )


def _where(path: Path, item: yaml.Node | yaml.Event) -> str:
    return f"{path}, line {item.start_mark.line + 1}" if item.start_mark else str(path)


def _syntax_error(error: yaml.YAMLError, path: Path) -> BadInputError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return BadInputError(
        f"not valid YAML: {problem}", where=where, remedy="check indentation, colons and quotes"
    )
