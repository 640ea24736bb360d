"""The YAML reader: what it keeps, and what it refuses with file, line and key."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from martlet.config.yaml_reader import read_yaml
from martlet.errors import BadInputError


def refusal(tmp_path: Path, content: str | bytes) -> str:
    path = tmp_path / "file.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInputError) as caught:
        read_yaml(path)
    assert caught.value.exit_code == 2
    assert "file.yaml" in str(caught.value)
    return str(caught.value)


def test_plain_values_are_read_as_a_person_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: 1\nb: -0.5\nc: .25\nd: text\ne: [yes, no]\nf:\ng: 2024-03-10\nh: '0123'\n")

    assert read_yaml(path) == {
        "a": 1,
        "b": -0.5,
        "c": 0.25,
        "d": "text",
        "e": [True, False],
        "f": None,
        "g": "2024-03-10",
        "h": "0123",
    }


def test_a_byte_order_mark_does_not_become_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"\xef\xbb\xbfversion: 1\n")

    assert read_yaml(path) == {"version": 1}


def test_a_merged_mapping_gives_defaults_that_own_keys_override(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}\n")

    assert read_yaml(path)["own"] == {"a": 1, "b": 3}


def test_a_duplicate_key_is_refused_with_its_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "tenants:\n  acme:\n    name: A\n  other: {}\n  acme: {}\n")

    assert "line 5" in message
    assert "'acme' occurs twice" in message


@pytest.mark.parametrize("written", ["0123", "0x1F", "1_000", "12:30", "+5", "1" * 60, ".inf"])
def test_a_number_that_yaml_would_change_is_refused_with_the_advice_to_quote(
    tmp_path: Path, written: str
) -> None:
    message = refusal(tmp_path, f"version: 1\naccount: {written}\n")

    assert "line 2" in message
    assert f'"{written}" in quotes' in message


@pytest.mark.parametrize("key", ["no", "1", "~", "[a, b]", "2.5"])
def test_a_key_that_is_not_text_is_refused(tmp_path: Path, key: str) -> None:
    assert "keys are text" in refusal(tmp_path, f"a: 1\n{key}: 2\n")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("- a\n- b\n", "top level must be a mapping"),
        ("text", "top level must be a mapping"),
        ("a: 1\nb: [1, 2\n", "not valid YAML"),
        ("a: 1\n\tb: 2\n", "line 2"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a: *missing\n", "undefined alias"),
        ("a: !!python/object/apply:os.system ['true']\n", "tag"),
        ("a: !!binary aGVsbG8=\n", "tag"),
        ('a: "x\\0y"\n', "control character"),
        ("a: {<<: 3}\n", "can only merge mappings"),
        (b"a: \xff\xfe\n", "UTF-8"),
        (b"a: \x07\n", "not valid YAML"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    assert expected in refusal(tmp_path, content)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, expected in [(tmp_path / "none.yaml", "no such file"), (tmp_path, "cannot read")]:
        with pytest.raises(BadInputError, match=expected) as caught:
            read_yaml(path)

        assert str(path) in str(caught.value)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_it_exhausts_the_stack(tmp_path: Path, opening: str) -> None:
    assert "nested more than" in refusal(tmp_path, "a:\n  " + opening * 50_000)


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert "aliases repeat" in refusal(tmp_path, "\n".join(lines))


@pytest.mark.parametrize("content", ["a: &a [*a]\n", "a: &a {b: *a}\n", "a: &a {<<: *a}\n"])
def test_an_alias_to_its_own_parent_is_refused(tmp_path: Path, content: str) -> None:
    assert "aliases repeat" in refusal(tmp_path, content)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text("ab:-[]{}&*!<>|'\"#,? \n0.~", max_size=40)))
def test_any_bytes_give_a_mapping_or_bad_input(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)

    try:
        document = read_yaml(path)
    except BadInputError as error:
        assert "any.yaml" in str(error)
    else:
        assert isinstance(document, dict)
