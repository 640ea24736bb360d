"""JSON texts of values: whatever the way they are made, no number and no character changes."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from martlet.landing.exact_json import ExactNumber, ExactParser, compact, exact_number, number_text

NUMBERS = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(lambda n: format(n, "f")),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["12.10", "-0.0", "1E5", "1e+16", "0.30", "9007199254740993", "5e-324"]),
)
SCALARS = st.one_of(NUMBERS, st.text().map(json.dumps), st.sampled_from(["null", "true", "false"]))


def _array(members: list[str]) -> str:
    return "[" + " , ".join(members) + "]"


def _object(members: dict[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)} : {text}" for name, text in members.items()) + "}"


DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(_array),
        st.dictionaries(st.text(max_size=3), inner, max_size=4).map(_object),
    ),
    max_leaves=12,
)


def pieces(value: Any) -> Iterator[str]:
    """The plain form, one text after the other, that any faster one has to equal."""
    if isinstance(value, dict):
        yield "{"
        for number, (name, member) in enumerate(value.items()):
            yield "," * bool(number) + json.dumps(name, ensure_ascii=False) + ":"
            yield from pieces(member)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, member in enumerate(value):
            yield "," * bool(number)
            yield from pieces(member)
        yield "]"
    elif isinstance(value, float):
        yield number_text(value)
    else:
        yield json.dumps(value, ensure_ascii=False)


@given(DOCUMENTS)
def test_a_document_is_written_as_its_plain_form_says(document: str) -> None:
    parser = ExactParser()
    value = parser.parse(document)

    expected = "".join(pieces(value))
    assert compact(value) == expected
    assert compact(value, has_exact=parser.has_exact) == expected


@given(DOCUMENTS)
def test_every_number_keeps_the_text_that_its_source_wrote(document: str) -> None:
    def texts(text: str) -> Any:
        return json.loads(text, parse_float=lambda n: f"number {n}", parse_int=int)

    assert texts(compact(ExactParser().parse(document))) == texts(document)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_a_decimal_has_a_text_of_its_own_only_where_it_needs_one(number: Decimal) -> None:
    text = format(number, "f")
    made = exact_number(text)

    assert number_text(made) == text
    assert isinstance(made, ExactNumber) == (repr(float(text)) != text)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"b": {"a": 1.50, "c": 2, "a": 3}}]'])
def test_a_name_that_is_stated_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the name 'a' is stated twice"):
        ExactParser().parse(text)


def test_what_can_be_read_at_some_depth_can_be_written() -> None:
    text = "[" * 300 + "1.50" + "]" * 300
    assert compact(ExactParser().parse(text)) == text
