"""A tenant's own labels and measures: checked when the file is read, and never more than data."""

import json
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from martlet.config.semantics import RESERVED
from martlet.config.tenants import TenantsFile, load_tenants, load_tenants_leniently
from martlet.errors import BadInputError
from martlet.semantic.definitions import tenant_definitions
from martlet.semantic.extra_measures import aggregate_expression
from tests.unit.semantic_tables import (
    CATALOGUE,
    ask,
    create_mart,
    create_star_schema,
    load_acme,
    semantic_models,
)

BRAND = {"sum": "spend", "filters": [{"field": "campaign_id", "op": "eq", "value": "1"}]}
TEXTS = [
    "'; drop table fct_acme__ad_performance; --",
    '" or "1"="1',
    "\\'); attach 'x.db' as x; --",
    "__import__('os').system('true')",
    "') | _.spend.sum() | ('",
    "{field} {0} %s $1 ?",
    'it\'s 100% \\ "Ünïcode" 🛒',
    "$$ || _.all(_.spend) -- /* */",
]


def measured(model: str = "ad_performance", **measures: Any) -> dict[str, Any]:
    return {"measures": {model: measures}}


def filtered(field: str, op: str, value: Any = None, model: str = "orders") -> dict[str, Any]:
    condition = {"field": field, "op": op} | ({} if value is None else {"value": value})
    return measured(model, own={"count": "rows", "filters": [condition]})


def ratio(numerator: str, denominator: str, **more: Any) -> dict[str, Any]:
    own = {"ratio": {"numerator": numerator, "denominator": denominator}}
    return measured("ad_performance", **{"own": own, **more})


MISTAKES = [
    ("labels", {"labels": {"ads.spend": "X"}}, "labels.ads.spend: must name a field as model.fie"),
    ("field", {"labels": {"ad_performance.spent": "X"}}, "did you mean 'spend'?"),
    ("no dot", {"labels": {"orders": "X"}}, "unknown field of orders"),
    ("empty label", {"labels": {"orders.aov": " "}}, "the text is empty"),
    ("hidden label", {"labels": {"orders.aov": "a\u202eb"}}, "cannot be printed"),
    ("long label", {"labels": {"orders.aov": "x" * 81}}, "at most 80 characters"),
    ("key", {"label": {}}, "did you mean 'labels'?"),
    ("model", measured("order", own=BRAND), "measures.order: no model that takes measures; did"),
    ("campaigns", measured("campaigns", own={"count": "rows"}), "no model that takes measures"),
    ("column", measured(own={"sum": "spent"}), "own.sum: value 'spent': unknown column of ad_perf"),
    ("foreign", measured(own={"sum": "total_price"}), "unknown column of ad_performance"),
    ("document", measured("orders", own={"count": "line_items_json"}), "unknown column of orders"),
    ("text", measured(own={"sum": "campaign_id"}), "is varchar, and only numbers have a sum"),
    ("day", measured(own={"max": "report_date"}), "is date, and only numbers have a max"),
    ("truth", measured("orders", own={"average": "is_test"}), "is boolean, and only numbers"),
    ("rows", measured(own={"sum": "rows"}), "unknown column of ad_performance"),
    ("number", measured(own={"sum": 5}), "YAML reads this as a number"),
    ("no kind", measured(own={"label": "x"}), "has no kind; give exactly one of sum, count"),
    ("two kinds", measured(own={"sum": "spend", "min": "spend"}), "has sum and min; give exactly"),
    ("kind", measured(own={"median": "spend"}), "own.median: value 'spend': unknown key"),
    ("filters", measured(own={**BRAND, "filters": {}}), "must be a list"),
    ("slug", measured(**{"Brand Spend": BRAND}), "did you mean 'brand_spend'?"),
    ("keyword", measured(**{"lambda": BRAND}), "the name is reserved"),
    ("standard", measured(cpc=BRAND), "ad_performance has a standard field or column of this name"),
    ("its column", measured("orders", tax=BRAND), "orders has a standard field or column"),
    ("joined", measured(campaign_name=BRAND), "campaigns has a standard field or column"),
    ("field", filtered("totl_price", "gt", 1), "filters[0].field: value 'totl_price': unknown col"),
    ("operator", filtered("total_price", "like", 1), "filters[0].op: value 'like': not a valid"),
    ("sql", filtered("total_price) --", "gt", 1), "a slug begins with a letter"),
    ("text number", filtered("total_price", "gt", "1"), "is decimal(18,6); give a number, not"),
    ("truth number", filtered("total_price", "eq", True), "give a number, not in quotes"),
    ("number text", filtered("currency", "eq", 1), "is varchar; give a text, in quotes"),
    ("truth text", filtered("is_test", "eq", "false"), "is boolean; give true or false"),
    ("larger truth", filtered("is_test", "gt", 1), "is boolean; valid: eq, ne"),
    ("day", filtered("business_date", "gt", "31.1.2026"), "give a day such as 2025-01-31"),
    ("short day", filtered("business_date", "eq", "20260131"), "give a day such as"),
    ("no day", filtered("business_date", "in", ["2026-02-30"]), "give a day such as"),
    ("zone", filtered("ordered_at", "gt", "2026-01-31T10:00:00+02:00"), "give a moment in UTC"),
    ("in day", filtered("business_date", "contains", "2026"), "needs a text, and business_date"),
    ("control", filtered("currency", "eq", "E\u202eU"), "give a printable text"),
    ("long", filtered("currency", "eq", "x" * 501), "give a printable text of at most 500"),
    ("many", filtered("order_id", "in", [str(n) for n in range(501)]), "at most 500 values"),
    ("personal", filtered("customer_email", "eq", "jo@example.com"), "is personal data"),
    ("numerator", ratio("spends", "clicks"), "ratio.numerator: value 'spends': unknown measure of"),
    ("dimension", ratio("spend", "campaign_id"), "ratio.denominator: value 'campaign_id': unknown"),
    ("circle", ratio("own", "clicks"), "is a ratio of this file; give the measures that it is"),
    (
        "half a ratio",
        measured(own={"ratio": {"numerator": "spend"}}),
        "denominator: this key is re",
    ),
    ("unit", ratio("clicks", "spend"), "own.ratio: would be counted things per money"),
    ("rates", {"exchange_rates": "/etc/rates.csv"}, "must be a path within the project"),
    ("rates above", {"exchange_rates": "../rates.csv"}, "must be a path within the project"),
    ("rates table", {"exchange_rates": "rates.xlsx"}, "must be a CSV file"),
    ("no mapping", {"measures": []}, "must be a mapping of keys to values"),
    ("nothing", {"labels": None}, "nothing stands after the key"),
]


def refusal(folder: Path, semantics: Any) -> str:
    with pytest.raises(BadInputError) as caught:
        load_acme(folder, semantics)
    assert "tenants.acme.semantics" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("semantics", "reason"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, semantics: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(tmp_path, semantics)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_measure_has_a_name_that_means_something_else(tmp_path: Path, name: str) -> None:
    refusal(tmp_path, measured(**{name: BRAND}))


def test_all_mistakes_of_a_stanza_are_told_at_once(tmp_path: Path) -> None:
    told = refusal(
        tmp_path, {"labels": {"a.b": "X"}, **measured(own={"sum": "spent"}, spend=BRAND)}
    )

    assert "3 problems" in told


def test_semantics_do_not_change_what_is_generated_for_a_tenant(tmp_path: Path) -> None:
    def file(semantics: dict[str, Any]) -> TenantsFile:
        load_acme(tmp_path, semantics, "shopify")
        return load_tenants(tmp_path / "tenants.yaml", CATALOGUE)

    without, with_them = file({}), file({"exchange_rates": "rates.csv", **measured(brand=BRAND)})

    assert with_them.tenant("acme").semantics.exchange_rates == "rates.csv"
    assert with_them.digest("acme") == without.digest("acme")
    assert with_them.tenant_json("acme") == without.tenant_json("acme")


def test_one_tenants_mistake_is_not_anothers(tmp_path: Path) -> None:
    tenant = {"name": "T", "reporting_timezone": "UTC", "currency": "EUR"}
    bad = {**tenant, "semantics": measured(own={"sum": "spent"})}
    path = tmp_path / "tenants.yaml"
    path.write_text(yaml.safe_dump({"tenants": {"good": tenant, "bad": bad}}))

    file, errors = load_tenants_leniently(path, CATALOGUE)

    assert set(file.tenants) == {"good"}
    assert set(errors) == {"bad"}


# A condition, and the same in SQL: rows of text, number, truth and day, null among them.
CONDITIONS = [
    ("currency", "eq", "EUR", "currency = 'EUR'"),
    ("currency", "ne", "EUR", "currency is distinct from 'EUR'"),
    ("currency", "in", ["EUR", "USD"], "currency in ('EUR', 'USD')"),
    ("currency", "not_in", ["EUR"], "currency is null or currency not in ('EUR')"),
    ("currency", "gt", "EUR", "currency > 'EUR'"),
    ("currency", "contains", "U", "contains(currency, 'U')"),
    ("currency", "contains", "%", "false"),
    ("currency", "not_contains", "S", "currency is null or not contains(currency, 'S')"),
    ("currency", "is_null", None, "currency is null"),
    ("customer_email", "is_not_null", None, "customer_email is not null"),
    ("total_price", "gte", 10.5, "total_price >= 10.5"),
    ("total_price", "lt", -1, "total_price < -1"),
    ("total_price", "ne", 10, "total_price is distinct from 10"),
    ("total_price", "in", [10, 10.5], "total_price in (10, 10.5)"),
    ("is_test", "eq", True, "is_test"),
    ("is_test", "ne", True, "is_test is distinct from true"),
    ("business_date", "gte", "2026-01-02", "business_date >= date '2026-01-02'"),
    ("business_date", "ne", "2026-01-02", "business_date is distinct from date '2026-01-02'"),
    ("business_date", "in", ["2026-01-02"], "business_date = date '2026-01-02'"),
    ("ordered_at", "lte", "2026-01-01 12:00:00", "ordered_at <= timestamp '2026-01-01 12:00:00'"),
    ("ordered_at", "lt", "2026-01-02", "ordered_at < timestamp '2026-01-02'"),
]


@pytest.fixture(scope="module")
def mart() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    create_star_schema(connection)
    create_mart(connection)
    connection.execute("""
        insert into fct_acme__orders
            (currency, customer_email, total_price, is_test, business_date, ordered_at)
        select c, e, p, t, d, d
        from (values ('EUR'), ('USD'), ('GBP'), (null)) as a(c),
            (values ('x'), (null)) as b(e),
            (values (10), (10.5), (-2), (null)) as f(p),
            (values (true), (false), (null)) as g(t),
            (values (date '2026-01-01'), (date '2026-01-02'), (null)) as h(d)
    """)
    return connection


@pytest.mark.parametrize(("field", "op", "value", "sql"), CONDITIONS)
def test_a_filter_chooses_the_rows_that_sql_chooses(
    mart: duckdb.DuckDBPyConnection, tmp_path: Path, field: str, op: str, value: Any, sql: str
) -> None:
    expected = mart.execute(f"select count(*) from fct_acme__orders where {sql}").fetchone()

    definition = tenant_definitions(mart, load_acme(tmp_path, filtered(field, op, value)))

    assert (ask(mart, definition, "orders", "own")["own"],) == expected


@pytest.mark.parametrize(
    ("kind", "sql", "type_"),
    [
        ("sum", "sum(total_price)", "decimal"),
        ("count", "count(total_price)", "bigint"),
        ("count_distinct", "count(distinct total_price)", "bigint"),
        ("min", "min(total_price)", "decimal"),
        ("max", "max(total_price)", "decimal"),
        ("average", "avg(total_price)", "double"),
    ],
)
def test_every_kind_is_what_sql_says(
    mart: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str, sql: str, type_: str
) -> None:
    expected = mart.execute(f"select {sql} from fct_acme__orders").fetchone()
    own = measured("orders", own={kind: "total_price"})

    definition = tenant_definitions(mart, load_acme(tmp_path, own))

    metadata = definition["orders"]["measures"]["own"]["metadata"]
    assert (ask(mart, definition, "orders", "own")["own"],) == expected
    assert metadata["type"] == type_
    assert metadata["unit"] == ("count" if kind.startswith("count") else "money")


def test_a_ratio_of_ratios_is_the_ratio_of_their_values(
    mart: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    mart.execute(
        "insert into fct_acme__ad_performance (spend, clicks, impressions) values (6, 2, 8)"
    )
    own = ratio("ctr", "cpc")["measures"]["ad_performance"]["own"]
    semantics = measured(
        clicks_twice={"sum": "clicks"}, own={"ratio": {**own["ratio"], "numerator": "cpm"}}
    )

    definition = tenant_definitions(mart, load_acme(tmp_path, semantics))

    assert ask(mart, definition, "ad_performance", "own")["own"] == 750 / 3
    assert "counted things per money" in refusal(tmp_path, ratio("ctr", "cpc"))


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_of_a_file_is_ever_run(
    mart: duckdb.DuckDBPyConnection, tmp_path: Path, text: str
) -> None:
    mart.execute("insert into fct_acme__ad_performance (campaign_id, spend) values (?, 3)", [text])
    before = mart.execute("select count(*) from duckdb_tables()").fetchone()
    conditions = [("eq", text), ("in", [text, "x"]), ("contains", text)]
    own: dict[str, Any] = {
        f"own_{op}": {
            "sum": "spend",
            "filters": [{"field": "campaign_id", "op": op, "value": value}],
        }
        for op, value in conditions
    }
    for stated in own.values():
        stated |= {"label": text, "description": text}
    tenant = load_acme(tmp_path, {"labels": {"ad_performance.spend": text}, **measured(**own)})

    definition = json.loads(json.dumps(tenant_definitions(mart, tenant)))

    assert ask(mart, definition, "ad_performance", *own) == dict.fromkeys(own, 3)
    assert definition["ad_performance"]["measures"]["spend"]["metadata"]["label"] == text
    assert mart.execute("select count(*) from duckdb_tables()").fetchone() == before


@pytest.mark.parametrize("text", TEXTS)
def test_text_that_is_no_name_is_refused_wherever_a_name_stands(tmp_path: Path, text: str) -> None:
    name: dict[str, Any] = {text: BRAND}

    refusal(tmp_path, measured(**name))
    refusal(tmp_path, measured(text, own=BRAND))
    refusal(tmp_path, measured(own={"sum": text}))
    refusal(tmp_path, measured(own={"count_distinct": text}))
    refusal(tmp_path, filtered(text, "is_null"))
    refusal(tmp_path, ratio(text, "clicks"))
    refusal(tmp_path, {"labels": {f"orders.{text}": "X"}})
    refusal(tmp_path, {"exchange_rates": text})


def test_names_that_sql_or_ibis_use_elsewhere_are_names_like_others(
    mart: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    names = ["select", "count", "sum", "filter", "schema", "columns", "mutate", "name", "order"]
    own = {name: {"count": "rows"} for name in names}
    shares = {
        f"{name}_share": {"ratio": {"numerator": name, "denominator": "row_count"}}
        for name in names
    }

    definition = tenant_definitions(mart, load_acme(tmp_path, measured("orders", **own, **shares)))

    assert ask(mart, definition, "orders", *shares) == dict.fromkeys(shares, 1)
    models = semantic_models(definition)
    asked = models["orders"].query(dimensions=["currency"], measures=[*own, *shares])
    assert ibis.to_sql(asked.to_untagged(), dialect="duckdb")


def test_an_expression_is_made_of_names_and_literals_only(tmp_path: Path) -> None:
    tenant = load_acme(tmp_path, filtered("currency", "in", ["E'U", 'U"S'], model="orders"))
    extra = tenant.semantics.measures["orders"]["own"]
    assert extra.aggregate

    expression = aggregate_expression(extra, *extra.aggregate)

    assert expression == """_.count(where=_.currency.isin(["E'U", 'U"S']))"""


_NAMES = (
    "sum count ratio numerator spend clicks own rows filters field op value eq in labels measures"
)
_WORDS = [*_NAMES.split(), "ad_performance", "ad_performance.own", "campaign_id", "a'b", "", "ä"]
_PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(_WORDS),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)


_VALUES = st.sampled_from(["a'b", 1, ["x"], [1.5], "2026-01-01"])
_FILTERS = st.lists(
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["campaign_id", "spend", "report_date", "x'"]),
            "op": st.sampled_from(["eq", "ne", "in", "not_in", "gt", "is_null", "contains"]),
        },
        optional={"value": _VALUES | _PARTS},
    ),
    max_size=2,
)


@given(
    kind=st.sampled_from(["sum", "count", "average"]),
    column=st.sampled_from(["spend", "clicks", "rows", "campaign_id", None]),
    filters=_FILTERS,
    labels=st.sampled_from([{}, {"ad_performance.own": "x"}, {"orders.aov": {}}]),
)
@settings(derandomize=True, max_examples=150, deadline=None)
def test_whatever_stands_there_is_bad_input_or_a_definition(
    mart: duckdb.DuckDBPyConnection,
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    column: Any,
    filters: Any,
    labels: Any,
) -> None:
    folder = tmp_path_factory.mktemp("mutant")
    own = {kind: column, "filters": filters}
    try:
        tenant = load_acme(folder, {**measured(own=own), "labels": labels})
    except BadInputError:
        return
    ask(mart, tenant_definitions(mart, tenant), "ad_performance", "own")
