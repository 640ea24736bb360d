"""The tenants: the committed file, defaults, and every mistake named with its path."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants, load_tenants_leniently
from martlet.errors import BadInputError

ROOT = Path(__file__).parents[2]
TENANTS = ROOT / "tenants.yaml"
Edit = Callable[[dict[str, Any]], object]

SMALL = """\
version: 1
tenants:
  acme:
    name: Acme
    reporting_timezone: Europe/Berlin
    currency: EUR
    sources:
      shopify: {}
      google_ads:
        connections:
          main:
            accounts: [1234567890]
          sydney:
            accounts: ["0123"]
            timezone: Australia/Sydney
            currency: AUD
      mixpanel:
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "supported_connectors.yaml")


def write(tmp_path: Path, edit: Edit | None = None, text: str = SMALL) -> Path:
    document = yaml.safe_load(text)
    if edit:
        edit(document)
    path = tmp_path / "tenants.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def load(tmp_path: Path, catalogue: Catalogue, edit: Edit | None = None) -> TenantsFile:
    return load_tenants(write(tmp_path, edit), catalogue)


def refusal(tmp_path: Path, catalogue: Catalogue, edit: Edit) -> str:
    path = write(tmp_path, edit)
    with pytest.raises(BadInputError) as caught:
        load_tenants(path, catalogue)
    assert caught.value.exit_code == 2
    assert str(path) in str(caught.value)
    return str(caught.value)


def acme(document: dict[str, Any]) -> dict[str, Any]:
    tenant: dict[str, Any] = document["tenants"]["acme"]
    return tenant


def test_the_committed_tenants_have_the_specified_sources(catalogue: Catalogue) -> None:
    file = load_tenants(TENANTS, catalogue)

    objects = {
        tenant.slug: sum(len(source.objects) for source in tenant.enabled_sources())
        for tenant in file.active()
    }

    assert objects == {"tyrell_corp": 16, "wayne_enterprises": 12}
    assert list(file.tenant("tyrell_corp").sources) == [
        "facebook_ads",
        "instagram_ads",
        "google_ads",
        "shopify",
        "google_analytics",
    ]


def test_a_source_without_settings_gets_every_default(tmp_path: Path, catalogue: Catalogue) -> None:
    tenant = load(tmp_path, catalogue).tenant("acme")

    shopify = tenant.sources["shopify"]

    assert shopify.enabled
    assert shopify.objects == ("orders", "products")
    assert list(shopify.connections) == ["main"]
    assert shopify.generation.orders_per_day > 0
    assert tenant.status == "active"
    assert tenant.analytics_source == "mixpanel"
    assert [source.platform for source in tenant.enabled_sources("paid_ads")] == ["google_ads"]


def test_a_connection_has_the_tenants_zone_and_currency_unless_it_names_its_own(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    tenant = load(tmp_path, catalogue).tenant("acme")

    main, sydney = tenant.sources["google_ads"].connections.values()

    assert (main.effective_timezone(tenant), main.effective_currency(tenant)) == (
        "Europe/Berlin",
        "EUR",
    )
    assert (sydney.effective_timezone(tenant), sydney.effective_currency(tenant)) == (
        "Australia/Sydney",
        "AUD",
    )
    assert main.accounts == ("1234567890",)
    assert sydney.accounts == ("0123",)


def test_chosen_objects_follow_the_order_of_the_catalogue(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    def choose(document: dict[str, Any]) -> None:
        acme(document)["sources"]["google_ads"]["objects"] = ["ads", "customers"]

    tenant = load(tmp_path, catalogue, choose).tenant("acme")

    assert tenant.sources["google_ads"].objects == ("customers", "ads")


SET: list[tuple[list[str | int], Any, str]] = [
    ([], "text", "tenants.acme: value 'text': must be a mapping"),
    (["nmae"], "x", "tenants.acme.nmae: value 'x': unknown key; did you mean 'name'?"),
    (["slug"], "x", "tenants.acme.slug: value 'x': unknown key"),
    (["name"], None, "tenants.acme.name: value None: nothing stands after the key"),
    (["name"], 5, "tenants.acme.name: value 5: YAML reads this as a number"),
    (["name"], " ", "the text is empty"),
    (["status"], "actve", "tenants.acme.status: value 'actve': not a valid choice; did you mean"),
    (["currency"], False, "tenants.acme.currency: value false: YAML reads this as true or false"),
    (["currency"], "eur", "value 'eur': not an ISO 4217 currency; did you mean 'EUR'?"),
    (["currency"], "XXXX", "not an ISO 4217 currency"),
    (["reporting_timezone"], "Europe/Berln", "did you mean 'Europe/Berlin'?"),
    (["reporting_timezone"], "europe/berlin", "did you mean 'Europe/Berlin'?"),
    (["reporting_timezone"], "../../etc/passwd", "unknown time zone"),
    (["reporting_timezone"], "America", "unknown time zone"),
    (["sources"], ["shopify"], "tenants.acme.sources: value ['shopify']: must be a mapping"),
    (["sources", "shopfy"], {}, "tenants.acme.sources.shopfy: unknown connector; did you mean"),
    (["sources", "shopify"], "on", "tenants.acme.sources.shopify: value 'on': must be a mapping"),
    (["sources", "shopify", "enabled"], "yes", "enabled: value 'yes': must be true or false"),
    (["sources", "shopify", "enable"], True, "unknown key; did you mean 'enabled'?"),
    (["sources", "shopify", "domain"], "analytics", "unknown key; it follows from the place"),
    (["sources", "shopify", "objects"], ["order"], "objects: value 'order': unknown object of "),
    (["sources", "shopify", "objects"], [], "needs at least 1"),
    (["sources", "shopify", "objects"], ["orders", "orders"], "listed twice: 'orders'"),
    (["sources", "shopify", "objects"], "orders", "must be a list, such as"),
    (["sources", "shopify", "objects"], [["orders"]], "objects[0]: value ['orders']: must be text"),
    (["sources", "shopify", "connections"], {}, "connections: value {}: needs at least 1"),
    (["sources", "shopify", "connections"], None, "nothing stands after the key"),
    (["sources", "shopify", "connections"], {"a__b": {}}, "connections.a__b: value 'a__b': a slug"),
    (["sources", "shopify", "connections"], {"main": {"account": []}}, "did you mean 'accounts'?"),
    (["sources", "shopify", "connections"], {"main": {"slug": "x"}}, "main.slug: value 'x': unkn"),
    (
        ["sources", "shopify", "connections"],
        {"main": {"accounts": [True]}},
        "accounts[0]: value tr",
    ),
    (
        ["sources", "shopify", "connections"],
        {"main": {"accounts": [1.5]}},
        "put the text in quotes",
    ),
    (["sources", "shopify", "connections"], {"main": {"accounts": [1, "1"]}}, "listed twice: '1'"),
    (
        ["sources", "shopify", "connections"],
        {"main": {"accounts": [1]}, "b": {"accounts": ["1"]}},
        "connections.b.accounts: value '1': connection 'main' reads this account already",
    ),
    (
        ["sources", "shopify", "generation"],
        {"campaigns": 0},
        "campaigns: value 0: must be at least",
    ),
    (["sources", "shopify", "generation"], {"campaigns": True}, "must be a whole number"),
    (["sources", "shopify", "generation"], {"refund_rate": 1.2}, "must be at most 1"),
    (["sources", "shopify", "generation"], {"daily_spend": "9"}, "must be a number, not in quotes"),
    (["sources", "shopify", "generation"], {"orders": 9}, "did you mean 'orders_per_day'?"),
    (
        ["sources", "shopify", "tables"],
        {"order": {}},
        "tables: value 'order': unknown object of sh",
    ),
    (["sources", "shopify", "tables"], {"orders": {"target_cpa": -1}}, "must be at least 0"),
    (["sources", "shopify", "tables"], {"orders": {"funnel": []}}, "did you mean 'funnel_steps'?"),
    (["analytics_source"], "mixpnl", "analytics_source: value 'mixpnl': not an enabled analytics"),
    (["analytics_source"], "shopify", "not an enabled analytics source of this tenant; valid: mix"),
]


@pytest.mark.parametrize(("path", "value", "expected"), SET)
def test_a_mistake_is_named_with_its_path_and_value(
    tmp_path: Path, catalogue: Catalogue, path: list[str], value: Any, expected: str
) -> None:
    def put(document: dict[str, Any]) -> None:
        parent = document["tenants"]
        *steps, last = ["acme", *path]
        for step in steps:
            parent = parent[step]
        parent[last] = value

    assert expected in refusal(tmp_path, catalogue, put)


@pytest.mark.parametrize(
    ("logic_filter", "expected"),
    [
        ({"field": "total price", "op": "eq", "value": 1}, "filters[0].field: value 'total price'"),
        ({"field": "a", "op": "like", "value": "x"}, "op: value 'like': not a valid choice"),
        ({"field": "a", "op": "eq; drop table x", "value": 1}, "not a valid choice"),
        ({"field": "a", "op": "eq"}, "op 'eq' needs one value"),
        ({"field": "a", "op": "eq", "value": {"b": 1}}, "filters[0].value: value {'b': 1}"),
        ({"field": "a", "op": "eq", "value": 2**70}, "must be text, a number"),
        ({"field": "a", "op": "in", "value": "x"}, "needs a list of values of one kind"),
        ({"field": "a", "op": "in", "value": []}, "needs a list of values of one kind"),
        ({"field": "a", "op": "in", "value": ["x", 1]}, "needs a list of values of one kind"),
        ({"field": "a", "op": "gt", "value": True}, "needs a number, or a date as text"),
        ({"field": "a", "op": "contains", "value": 1}, "needs a text"),
        ({"field": "a", "op": "is_null", "value": 1}, "takes no value"),
        ({"field": "a", "op": "eq", "value": 1, "sql": "1=1"}, "sql: value '1=1': unknown key"),
        ("a = 1", "filters[0]: value 'a = 1': must be a mapping"),
    ],
)
def test_a_filter_outside_the_closed_vocabulary_is_refused(
    tmp_path: Path, catalogue: Catalogue, logic_filter: Any, expected: str
) -> None:
    def put(document: dict[str, Any]) -> None:
        acme(document)["sources"]["shopify"] = {"tables": {"orders": {"filters": [logic_filter]}}}

    assert expected in refusal(tmp_path, catalogue, put)


def test_filters_keep_the_types_of_their_values(tmp_path: Path, catalogue: Catalogue) -> None:
    written = [
        {"field": "test", "op": "ne", "value": True},
        {"field": "total_price", "op": "gte", "value": 0.5},
        {"field": "status", "op": "in", "value": ["paid", "refunded"]},
        {"field": "email", "op": "is_not_null"},
        {"field": "quantity", "op": "lt", "value": 3},
    ]

    def put(document: dict[str, Any]) -> None:
        acme(document)["sources"]["shopify"] = {
            "tables": {"orders": {"filters": written, "target_cpa": 12.30}}
        }

    logic = load(tmp_path, catalogue, put).tenant("acme").sources["shopify"].tables["orders"]

    assert [item.value for item in logic.filters] == [True, 0.5, ("paid", "refunded"), None, 3]
    assert [type(item.value) for item in logic.filters] == [bool, float, tuple, type(None), int]
    assert logic.target_cpa == Decimal("12.3")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda d: d.update(tenant={}), "tenant: unknown key; did you mean 'tenants'?"),
        (lambda d: d.update(version="1"), "version: value '1': the only valid version is 1"),
        (lambda d: d.pop("tenants"), "tenants: this key is required"),
        (lambda d: d.update(tenants=["acme"]), "tenants: value ['acme']: must be a mapping"),
        (lambda d: d.update(shared_landings={}), "shared_landings: value {}: must be a list"),
        (lambda d: d.update(shared_landings=["x"]), "shared_landings[0]: value 'x'"),
        (lambda d: d["tenants"].update({"Ac me": {}}), "did you mean 'ac_me'?"),
        (lambda d: d["tenants"].update({"a__b": {}}), "tenants.a__b: value 'a__b': a slug cannot"),
        (lambda d: d["tenants"].update({"a" * 64: {}}), "at most 63 characters"),
        (
            lambda d: d["tenants"].update({"shared": {}}),
            "tenants.shared: value 'shared': this name",
        ),
        (lambda d: d["tenants"].update({"_unassigned": {}}), "this name is reserved"),
    ],
)
def test_a_mistake_of_the_file_is_named(
    tmp_path: Path, catalogue: Catalogue, edit: Edit, expected: str
) -> None:
    assert expected in refusal(tmp_path, catalogue, edit)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path, catalogue: Catalogue) -> None:
    def make_mistakes(document: dict[str, Any]) -> None:
        acme(document).update(currency="EURO", colour="red")
        acme(document)["sources"] |= {"shopfy": {}, "amplitude": {}}
        document["tenants"]["Beta"] = {"name": "Beta"}

    message = refusal(tmp_path, catalogue, make_mistakes)

    for path in ["acme.currency", "acme.colour", "acme.sources.shopfy", "acme.analytics_source"]:
        assert f"tenants.{path}:" in message
    for path in ["tenants.Beta:", "tenants.Beta.currency", "tenants.Beta.reporting_timezone"]:
        assert path in message


def test_two_analytics_sources_need_a_choice_unless_one_is_off(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    def add(document: dict[str, Any]) -> None:
        acme(document)["sources"]["amplitude"] = {}

    def add_switched_off(document: dict[str, Any]) -> None:
        acme(document)["sources"]["amplitude"] = {"enabled": False}

    def add_and_choose(document: dict[str, Any]) -> None:
        add(document)
        acme(document)["analytics_source"] = "amplitude"

    message = refusal(tmp_path, catalogue, add)
    switched_off = load(tmp_path, catalogue, add_switched_off).tenant("acme")
    chosen = load(tmp_path, catalogue, add_and_choose).tenant("acme")

    assert "several analytics sources are enabled; valid: mixpanel, amplitude" in message
    assert switched_off.analytics_source == "mixpanel"
    assert chosen.analytics_source == "amplitude"


def test_an_unknown_tenant_is_answered_with_the_nearest(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    with pytest.raises(BadInputError, match="unknown tenant 'amce'; did you mean 'acme'"):
        load(tmp_path, catalogue).tenant("amce")


def test_a_disabled_tenant_is_known_but_no_run_takes_it(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    file = load(tmp_path, catalogue, lambda d: acme(d).update(status="disabled"))

    assert file.active() == ()
    assert file.tenant("acme").name == "Acme"
    with pytest.raises(BadInputError, match="tenant 'acme' is disabled"):
        file.tenant("acme", require_active=True)


def test_a_broken_tenant_leaves_the_others_readable(tmp_path: Path, catalogue: Catalogue) -> None:
    def add_broken(document: dict[str, Any]) -> None:
        document["tenants"]["broken"] = {**acme(document), "currency": "EURO"}

    path = write(tmp_path, add_broken)

    file, errors = load_tenants_leniently(path, catalogue)

    assert list(file.tenants) == ["acme"]
    assert list(errors) == ["broken"]
    assert "tenants.broken.currency" in str(errors["broken"])
    assert errors["broken"].exit_code == 2


def test_trouble_of_the_whole_file_is_not_forgiven(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(BadInputError, match="only valid version"):
        load_tenants_leniently(write(tmp_path, lambda d: d.update(version=3)), catalogue)


def test_tenants_whose_source_names_collide_are_both_refused(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    google = catalogue.connector("google_ads")
    ads = google.model_copy(update={"name": "ads"})
    wider = Catalogue(connectors={**catalogue.connectors, "ads": ads})

    def add(document: dict[str, Any]) -> None:
        document["tenants"]["acme_google"] = {**acme(document), "sources": {}}
        document["tenants"]["other"] = {**acme(document), "sources": {}}

    path = write(tmp_path, add)

    file, errors = load_tenants_leniently(path, wider)

    assert list(file.tenants) == ["other"]
    assert sorted(errors) == ["acme", "acme_google"]
    assert "'acme_google_ads'" in str(errors["acme"])
    assert len(load_tenants(path, catalogue).tenants) == 3


SHARED = {
    "table": "google_ads_ad_performance",
    "platform": "google_ads",
    "object": "ad_performance",
    "account_column": "customer_id",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"platform": "google"}, "shared_landings[0].platform: value 'google': unknown connector"),
        ({"object": "ad"}, "shared_landings[0].object: value 'ad': unknown object"),
        ({"table": "a; drop table b"}, "shared_landings[0].table"),
        ({"account_column": "x' or '1'='1"}, "shared_landings[0].account_column"),
        ({"tabel": "x"}, "shared_landings[0].tabel: value 'x': unknown key; did you mean 'table'?"),
    ],
)
def test_a_mistake_in_a_shared_landing_is_named(
    tmp_path: Path, catalogue: Catalogue, change: dict[str, str], expected: str
) -> None:
    message = refusal(
        tmp_path, catalogue, lambda d: d.update(shared_landings=[{**SHARED, **change}])
    )

    assert expected in message


def test_a_shared_table_declared_twice_is_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    message = refusal(tmp_path, catalogue, lambda d: d.update(shared_landings=[SHARED, SHARED]))

    assert "shared_landings[1].table" in message


def test_an_account_that_two_active_tenants_claim_is_disputed_and_given_to_neither(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    def add_rival(status: str) -> Edit:
        def edit(document: dict[str, Any]) -> None:
            document["shared_landings"] = [SHARED]
            document["tenants"]["rival"] = {**acme(document), "status": status}

        return edit

    rivals = load(tmp_path, catalogue, add_rival("active"))
    alone = load(tmp_path, catalogue, add_rival("disabled"))

    assert "0123" in rivals.disputed_accounts("google_ads")
    assert alone.disputed_accounts("google_ads") == frozenset()
    for file, given in ((rivals, False), (alone, True)):
        (shared,) = json.loads(file.tenant_json("acme"))["shared_landings"]
        assert ("0123" in shared["accounts"]) is given


def test_tenant_json_tells_dbt_everything_with_defaults_filled_in(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    file = load(tmp_path, catalogue, lambda d: d.update(shared_landings=[SHARED]))

    told = json.loads(file.tenant_json("acme"))

    assert told["name"] == "Acme"
    assert told["digest"] == file.digest("acme")
    assert told["analytics_source"] == "mixpanel"
    assert "generation" not in told["sources"]["shopify"]
    assert told["sources"]["google_ads"]["connections"]["main"] == {
        "slug": "main",
        "accounts": ["1234567890"],
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "conversion_actions": [],
        "attribution_window": None,
    }
    assert told["shared_landings"] == [
        {**SHARED, "loader": "native", "accounts": {"1234567890": "main", "0123": "sydney"}}
    ]


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: acme(d).update(name="Acme Limited"),
        lambda d: acme(d).update(status="active", analytics_source="mixpanel"),
        lambda d: acme(d)["sources"].update(shopify={"generation": {"orders_per_day": 7}}),
        lambda d: acme(d)["sources"].update(shopify={"objects": ["products", "orders"]}),
        lambda d: acme(d)["sources"].update(shopify={"connections": {"main": {"currency": "EUR"}}}),
        lambda d: d["tenants"].update(acme=dict(reversed(acme(d).items()))),
    ],
)
def test_the_digest_ignores_what_changes_no_result(
    tmp_path: Path, catalogue: Catalogue, edit: Edit
) -> None:
    before = load(tmp_path, catalogue).digest("acme")

    assert load(tmp_path, catalogue, edit).digest("acme") == before


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: acme(d).update(currency="USD"),
        lambda d: acme(d).update(reporting_timezone="Europe/Paris"),
        lambda d: acme(d)["sources"].pop("shopify"),
        lambda d: acme(d)["sources"].update(shopify={"objects": ["orders"]}),
        lambda d: acme(d)["sources"].update(shopify={"tables": {"orders": {"target_cpa": 1}}}),
        lambda d: acme(d)["sources"]["google_ads"]["connections"].pop("sydney"),
    ],
)
def test_the_digest_follows_what_changes_results(
    tmp_path: Path, catalogue: Catalogue, edit: Edit
) -> None:
    before = load(tmp_path, catalogue).digest("acme")

    assert load(tmp_path, catalogue, edit).digest("acme") != before
