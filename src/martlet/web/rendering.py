"""Templates to HTML: everything is escaped, nothing is undefined, no style or script is inline."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from martlet.web import words
from martlet.web.days import ago_words, day_words, duration_words, moment_words

LONGEST_NAME = 240


def new_environment() -> Environment:
    """Return the environment of all templates."""
    environment = Environment(
        loader=PackageLoader("martlet.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "day": day_words,
        "moment": moment_words,
        "ago": lambda moment: ago_words(moment, datetime.now(UTC)),
        "duration": duration_words,
        "platform": words.platform_words,
        "model": words.model_words,
        "title_of": words.title_of,
        "object": words.object_words,
        "name": short_name,
        "count": lambda number: f"{number:,}",
        "json": as_json,
    }
    environment.globals |= {"counted": words.counted, "scopes": words.SCOPES}
    return environment


def short_name(value: Any) -> str:
    """Return a text from the data in a length that a page can show."""
    text = str(value)
    if len(text) <= LONGEST_NAME:
        return text
    return f"{text[:LONGEST_NAME]}… ({len(text):,} characters)"


def as_json(value: Any) -> str:
    """Return JSON for a data attribute; the template escapes it."""
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return float(value)
