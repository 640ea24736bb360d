"""One parse of a payload gives, for each field, what `->>` gives for its path alone."""

import json
import re
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.macros import Macros
from tests.project import REPOSITORY

MACROS = Macros()
# Indexes, wildcards, objects of which members are read too, names that differ in case, dots and
# quotes in names: whatever a contract may ask for, and one of them in each type.
PATHS = (
    "$.a", "$.b", "$.c", "$.A", "$.o.a", "$.o.b", "$.o.A", "$.O.b", "$.o.deep.a", "$.o.deep",
    '$."a.b"', '$."$a"', '$.o."it\'s"', "$.l[0]", "$.l[1].a", "$.l", '$."l[0]"', "$.é",
)  # fmt: skip
TYPES = (
    "varchar", "bigint", "decimal", "double", "boolean", "date", "timestamp", "local_timestamp",
    "epoch_s", "epoch_ms", "epoch_us", "rfc2822",
)  # fmt: skip
LISTED = {"list_key": "k", "type": "varchar", "list_value": ["int_value", "string_value"]}
OURS: dict[str, Any] = {
    "columns": [
        *(
            {"name": f"f{number}_{type_}", "type": type_, "paths": [path]}
            for number, path in enumerate(PATHS)
            for type_ in (TYPES if number < 1 else TYPES[:1])
        ),
        {"name": "either", "type": "varchar", "paths": ["$.b", "$.o.b", "$.o.deep"]},
        {"name": "document", "type": "json", "paths": ["$.document"]},
        {"name": "listed", "paths": ["$.params"], **LISTED},
        {"name": "one_value", "paths": ["$.params"], **LISTED, "list_value": ["string_value"]},
        {"name": "listed_deep", "paths": ["$.o.params"], **LISTED},
        {"name": "listed_too", "paths": ["$.o.deep"], **LISTED},
    ]
}
CONTRACTS = sorted(
    name
    for path in (REPOSITORY / "macros" / "contracts").glob("*.sql")
    for name in re.findall(r"macro (contract_\w+)\(", path.read_text(encoding="utf-8"))
)
BOOKKEEPING = "tenant_slug source_platform connection tenant_skey load_id source_schema_hash"


def columns(contract: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for c in contract["columns"] if c["name"] != "is_deleted"]


def ours(contract: dict[str, Any]) -> str:
    """Return the unpack under test, over the table `documents`."""
    names = ", ".join(f'"{c["name"]}"' for c in columns(contract))
    return (
        f"with {MACROS['typed_rows']('documents', contract)} select tenant_skey, {names} from typed"
    )


def one_by_one(contract: dict[str, Any]) -> str:
    """Return the same columns, each by a `->>` of its own."""
    fields = []
    for column in columns(contract):
        if column.get("list_key"):
            values = ", ".join(f"e.value.{name}" for name in column["list_value"])
            members = ", ".join(f'"{name}": "VARCHAR"' for name in column["list_value"])
            text = f"(raw_data_payload ->> '{column['paths'][0]}')"
            parsed = (
                f"from_json(case when json_valid({text}) then {text} end, "
                f"""'[{{"key": "VARCHAR", "value": {{{members}}}}}]')"""
            )
            entry = (
                f"list_transform(list_filter({parsed}, lambda e: e.key = '{column['list_key']}'), "
                f"lambda e: coalesce({values}, null))[1]"
            )
            field = MACROS["cast_landed"](entry, column["type"])
        else:
            field = MACROS["unpacked_column"](contract, column["name"], "raw_data_payload")
        fields.append(f'{field} as "{column["name"]}"')
    return f"select tenant_skey, {', '.join(fields)} from documents"


class Compared:
    """Both forms of a contract's unpack, prepared once, on a table of documents."""

    def __init__(self, contract: dict[str, Any]) -> None:
        self.database = duckdb.connect()
        self.database.execute("set TimeZone = 'UTC'; set threads = 1")
        texts = ", ".join(f"{name} varchar" for name in BOOKKEEPING.split())
        self.database.execute(
            f"create table documents ({texts}, raw_data_payload json, is_deleted boolean, "
            "extracted_at timestamp, loaded_at timestamp)"
        )
        self.queries = ours(contract), one_by_one(contract)

    def check(self, documents: list[str]) -> None:
        self.database.execute("delete from documents")
        self.database.execute(
            "insert into documents (tenant_skey, raw_data_payload) "
            "select number, document from (select generate_subscripts(d, 1) as number, "
            "unnest(d) as document from (select cast(? as varchar[]) as d))",
            [documents],
        )
        rows, expected = (
            self.database.execute(f"{query} order by cast(tenant_skey as bigint)").fetchall()
            for query in self.queries
        )
        names = [d[0] for d in self.database.description or ()]
        for row, wanted in zip(rows, expected, strict=True):
            different = {
                name: (value, other)
                for name, value, other in zip(names, row, wanted, strict=True)
                if value != other and not (str(value) == str(other) == "nan")
            }
            assert not different, documents


NUMBERS = st.sampled_from(
    [
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1.50",
        "1e5",
        "1E5",
        "1e23",
        "-1.5e-7",
        "0.00001",
        "1e16",
        "12345678901234567.0",
        "1e400",
        "1e-400",
        "20250701",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "9007199254740993.0",
        "1751328000000",
        "123456789012345678901234567890123456789012345678901234567890",
        "0.1000000000000000055511151231",
        "1751328000.5",
        "1.7513280001e17",
        "99999999999999999999.5",
    ]
) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
TEXTS = st.sampled_from(
    ["", "k", "null", "true", "1e23", "1e+23", "-1.5e-07", "12", "2025-07-01", "20250701", "{", "[1]",
     '{"a": 1e23}', "2025-07-01T10:00:00+02:00", "Tue, 01 Jul 2025 10:00:00 +0200", "a\u0000b", "é\n\"",
     "9e", "1-e+1"]
) | st.text(max_size=5)  # fmt: skip
STRINGS = TEXTS.map(json.dumps) | TEXTS.map(lambda t: json.dumps(t, ensure_ascii=False))
SCALARS = NUMBERS | STRINGS | st.sampled_from(["null", "true", "false"])
NAMES = st.sampled_from(
    ["a", "b", "c", "A", "B", "o", "O", "deep", "Deep", "a.b", "$a", "it's", "l", "l[0]", "é", "params", "x",
     "key", "value", "int_value", "string_value"]
)  # fmt: skip


def document(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as text: members may be doubled, and names be spelled with escapes."""
    label = NAMES.map(json.dumps) | NAMES.map(
        lambda name: '"' + "".join(f"\\u{ord(c):04x}" for c in name) + '"'
    )
    members = st.lists(st.tuples(label, values), max_size=8)
    return members.map(lambda found: "{" + ", ".join(f"{k}: {v}" for k, v in found) + "}")


def entries(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lists of key and value, as a list, or as the text of one."""
    entry = st.tuples(st.sampled_from(['"k"', '"other"', "null", "1"]), values, values).map(
        lambda e: f'{{"key": {e[0]}, "value": {{"int_value": {e[1]}, "string_value": {e[2]}}}}}'
    )
    texts = st.lists(entry | values, max_size=4).map(lambda found: "[" + ",".join(found) + "]")
    return texts | texts.map(json.dumps)


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        document(inner)
        | entries(inner)
        | st.lists(inner, max_size=3).map(lambda found: "[" + ", ".join(found) + "]")
    ),
    max_leaves=12,
)
NO_STRINGS = st.recursive(
    NUMBERS | st.just("null"), lambda inner: document(inner | STRINGS), max_leaves=4
)
SHAPED = st.fixed_dictionaries(
    {"document": NO_STRINGS},
    optional={"o": document(VALUES), "l": VALUES, "params": entries(SCALARS), "a": VALUES},
).map(lambda d: "{" + ",".join(f'"{k}": {v}' for k, v in d.items()) + "}")


@pytest.fixture(scope="module")
def compared() -> Compared:
    return Compared(OURS)


@settings(deadline=None)
@given(documents=st.lists(SHAPED | document(VALUES) | VALUES, min_size=1, max_size=20))
def test_any_document_gives_what_an_arrow_a_field_gives(
    compared: Compared, documents: list[str]
) -> None:
    compared.check(documents)


def at_paths(contract: dict[str, Any]) -> st.SearchStrategy[str]:
    """Documents that have values, of any kind, where the contract looks for them."""
    paths = sorted({p for c in contract["columns"] if c["type"] != "json" for p in c["paths"]})
    chosen = st.lists(st.tuples(st.sampled_from(paths), SCALARS | VALUES), max_size=30)
    return chosen.map(_nested)


def _nested(values: list[tuple[str, str]]) -> str:
    root: dict[str, Any] = {}
    for path, value in values:
        node = root
        *parents, last = re.findall(r'\."([^"]+)"|\.([^.\[]+)', path)
        for step in parents:
            inner = node.setdefault("".join(step), {})
            if not isinstance(inner, dict):
                break
            node = inner
        else:
            node["".join(last)] = f"[{value}]" if path.endswith("]") else value
    return _written(root)


def _written(node: dict[str, Any] | str) -> str:
    if isinstance(node, str):
        return node
    return "{" + ",".join(f"{json.dumps(k)}:{_written(v)}" for k, v in node.items()) + "}"


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_contract_reads_what_an_arrow_a_field_reads(name: str) -> None:
    contract = MACROS[name]()
    compared = Compared(contract)

    @settings(max_examples=15, deadline=None)
    @given(documents=st.lists(at_paths(contract), min_size=1, max_size=20))
    def check(documents: list[str]) -> None:
        compared.check(documents)

    check()


def test_names_that_differ_in_case_only_are_told_apart() -> None:
    plan = MACROS["json_plan"](["$.a", "$.A", "$.o.b", "$.O.c", "$.o"])

    assert set(plan["places"]) == {"$.a", "$.o.b"}
    assert set(plan["rest"]) == {"$.A", "$.O.c", "$.o"}


def test_a_filter_does_not_parse_again_and_unread_fields_are_not_parsed() -> None:
    contract = MACROS["contract_google_analytics_api_v1_events"]()
    compared = Compared(contract)
    compared.check(['{"event_name": "x"}'])
    typed = f"with {MACROS['typed_rows']('documents', contract)}"

    def parses(query: str) -> int:
        plan = compared.database.execute(f"explain (format json) {typed} {query}").fetchone()
        assert plan
        return str(plan[1]).count("from_json(")

    all_columns = parses("select * from typed")
    assert (
        parses("select * from typed where event_name = 'x' and ga_session_id <> ''") == all_columns
    )
    assert parses("select tenant_skey, is_deleted from typed") == 0
