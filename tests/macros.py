"""Renders the repository's macros without dbt, for tests that only want their SQL."""

import json
import re
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, Template

from tests.project import REPOSITORY

_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)\(.*?endmacro\s*-?%\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_HOMES = ("contracts", "utils", "onboarding")


class _Return(Exception):  # noqa: N818 - how dbt ends a macro early, no error
    def __init__(self, value: Any) -> None:
        self.value = value


class Macros:
    """The macros of contracts and utils; a macro by its name gives what it returns or renders."""

    def __init__(self) -> None:
        environment = Environment(extensions=["jinja2.ext.do"])
        self._names: dict[str, Any] = {
            "return": _raise,
            "modules": {"re": re},
            "tojson": json.dumps,
            "adapter": self,
        }
        for home in _HOMES:
            for path in sorted((REPOSITORY / "macros" / home).rglob("*.sql")):
                for found in _MACRO.finditer(_COMMENT.sub("", path.read_text(encoding="utf-8"))):
                    template = environment.from_string(found[0], globals=self._names)
                    self._names[found[1]] = _returning(template, found[1])

    def __getitem__(self, name: str) -> Callable[..., Any]:
        macro: Callable[..., Any] = self._names[name]
        return macro

    def dispatch(self, name: str, _package: str) -> Callable[..., Any]:
        """Give the macro of the one engine that there is, as dbt's adapter does."""
        return self[f"default__{name}"]


def _raise(value: Any) -> None:
    raise _Return(value)


def _returning(template: Template, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            # the module knows the macros that there were when it was first asked for
            return getattr(template.module, name)(*arguments, **named)
        except _Return as returned:
            return returned.value

    return call
