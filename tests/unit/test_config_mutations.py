"""However a file is broken, the answer is a valid object or bad input, never another exception."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants, load_tenants_leniently
from martlet.errors import BadInputError

ROOT = Path(__file__).parents[2]
SHARED_LANDING = {
    "table": "google_ads_ad_performance",
    "platform": "google_ads",
    "object": "ad_performance",
    "account_column": "customer_id",
}
ALERT = {"channel": "ops", "url_env": "MARTLET_ALERT_URL_OPS", "kinds": ["audit"]}


def without_comments(name: str) -> str:
    document = yaml.safe_load((ROOT / name).read_text())
    return yaml.safe_dump(document, sort_keys=False)


CATALOGUE_TEXT = without_comments("supported_connectors.yaml")
TENANTS_TEXT = without_comments("tenants.yaml")

_KEYS = """
    main slug objects connections tables events filters status shopify google_ads mixpanel amplitude
    name domain accounts version generation analytics_source currency Upper a__b
    alerts channel url_env kinds digest
"""
KEYS = st.sampled_from(_KEYS.split())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(),
    st.text(max_size=4),
    KEYS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
_SNIPPETS = "|:|{|]|- |&a |*a|<<: *a|'|#|>\n|!!int |0123|~|yes|\t|\x00|é|__|? |---\n|\n|  |\""
SNIPPETS = st.sampled_from([*_SNIPPETS.split("|"), "|", "9" * 400])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        steps = list(value.items())
    else:
        steps = list(enumerate(value)) if isinstance(value, list) else []
    inner = [place for step, item in steps for place in places(item, (*path, step))]
    return [path, *inner] if path else inner


@st.composite
def structural_mutants(draw: st.DrawFn, text: str, extra: dict[str, Any]) -> str:
    """Replace, remove or insert up to three values anywhere in the document."""
    document = copy.deepcopy({**yaml.safe_load(text), **extra})
    for _ in range(draw(st.integers(1, 3))):
        where = places(document)
        if not where:
            break
        *steps, last = draw(st.sampled_from(where))
        parent = document
        for step in steps:
            parent = parent[step]
        action = draw(st.sampled_from(["replace", "remove", "insert"]))
        if action == "remove":
            del parent[last]
        elif action == "insert" and isinstance(parent, dict):
            parent[draw(KEYS)] = draw(VALUES)
        else:
            parent[last] = draw(VALUES)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


@st.composite
def textual_mutants(draw: st.DrawFn, text: str) -> str:
    """Cut a span out of the text, or put a snippet of YAML's own syntax into it."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(SNIPPETS) + text[start + draw(st.integers(0, 12)) :]
    return text


def check_tenants(path: Path, catalogue: Catalogue) -> None:
    try:
        lenient, errors = load_tenants_leniently(path, catalogue)
    except BadInputError:
        with pytest.raises(BadInputError):
            load_tenants(path, catalogue)
        return
    if errors:
        with pytest.raises(BadInputError):
            load_tenants(path, catalogue)
    else:
        assert load_tenants(path, catalogue) == lenient
    assert not set(errors) & set(lenient.tenants)
    check_usable(lenient)


def check_usable(file: TenantsFile) -> None:
    for slug, tenant in file.tenants.items():
        assert tenant.slug == slug
        assert len(file.digest(slug)) == 32
        assert file.tenant_json(slug)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT / "supported_connectors.yaml")


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.one_of(
        structural_mutants(TENANTS_TEXT, {"shared_landings": [SHARED_LANDING], "alerts": [ALERT]}),
        textual_mutants(TENANTS_TEXT),
    )
)
def test_a_mutated_tenants_file_is_valid_or_bad_input(
    tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "tenants.yaml"
    path.write_text(text)

    check_tenants(path, catalogue)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.one_of(structural_mutants(CATALOGUE_TEXT, {}), textual_mutants(CATALOGUE_TEXT)))
def test_a_mutated_catalogue_is_valid_or_bad_input(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "supported_connectors.yaml"
    path.write_text(text)

    try:
        catalogue = load_catalogue(path)
    except BadInputError as error:
        assert str(path) in str(error)
    else:
        assert all(connector.objects for connector in catalogue.connectors.values())
