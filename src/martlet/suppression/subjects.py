"""Where in a record a person is named: the fields that contracts mark, and e-mail addresses."""

from collections.abc import Iterable, Mapping
from functools import cache

from martlet.contracts.lock import published_shapes

# In any field: people are written into notes, addresses of pages, and what no contract knows.
_ADDRESS = r"[\p{L}\p{N}._%+\-]+@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)+"


@cache
def subject_paths(connector: str, object_: str) -> tuple[tuple[str, ...], ...]:
    """Return the fields that identify a person, of all shapes ever published, step by step."""
    paths = (
        path
        for shape in published_shapes(connector)
        if shape.object == object_
        for path in shape.subject
    )
    return tuple(tuple(path.split(".")) for path in dict.fromkeys(paths))


def identifiers(columns: Mapping[str, str], paths: Iterable[tuple[str, ...]]) -> str:
    """Return the SQL of the list of a row's identifying texts.

    `columns` maps names, as the table spells them, to types; what has a path of several steps is
    read from a JSON text.
    """
    spelled = {name.lower(): name for name in columns}
    texts = []
    for first, *rest in paths:
        name = spelled.get(first.lower())
        if name is None:
            continue
        column = _name(name)
        if rest:
            texts.append(_member(column, rest))
        elif columns[name].upper() == "JSON":
            texts.append(_member(column, []))
        else:
            texts.append(f"cast({column} as varchar)")
    return f"list_filter([{', '.join(texts)}], x -> x is not null)" if texts else "[]::varchar[]"


def identifiers_of_document(document: str, paths: Iterable[tuple[str, ...]]) -> str:
    """Return the SQL of the list of the identifying texts in a JSON text; none if it is no JSON."""
    texts = ", ".join(_member(document, list(path)) for path in paths)
    found = f"list_filter([{texts}], x -> x is not null)" if texts else "[]::varchar[]"
    return f"case when json_valid(cast({document} as varchar)) then {found} else []::varchar[] end"


def addresses(texts: Iterable[str]) -> str:
    """Return the SQL of the list of all e-mail addresses in some texts."""
    whole = ", ".join(f"cast({text} as varchar)" for text in texts)
    if not whole:
        return "[]::varchar[]"
    joined = f"concat_ws(' ', {whole})"
    plain = f"replace(replace({joined}, '%40', '@'), '\\u0040', '@')"
    return (
        f"case when contains({plain}, '@') "
        f"then regexp_extract_all({plain}, '{_ADDRESS}') else []::varchar[] end"
    )


def _member(document: str, steps: list[str]) -> str:
    path = "$" + "".join(f'."{step}"' for step in steps)
    return f"json_extract_string({document}, '{path}')"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
