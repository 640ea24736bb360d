"""The catalogue: the menu of the design, and its cross-checks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from martlet.config.catalogue import load_catalogue
from martlet.errors import BadInputError

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "supported_connectors.yaml"
Edit = Callable[[dict[str, Any]], object]


def refusal(tmp_path: Path, edit: Edit) -> str:
    document = yaml.safe_load(CATALOGUE.read_text())
    edit(document)
    path = tmp_path / "supported_connectors.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(BadInputError) as caught:
        load_catalogue(path)
    assert caught.value.exit_code == 2
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_the_committed_catalogue_has_13_connectors_and_36_master_models() -> None:
    catalogue = load_catalogue(CATALOGUE)

    assert len(catalogue.connectors) == 13
    assert len(catalogue.master_models()) == 36


def test_facebook_and_instagram_share_one_master_model() -> None:
    catalogue = load_catalogue(CATALOGUE)
    facebook, instagram = (catalogue.connector(f"{name}_ads") for name in ("facebook", "instagram"))

    assert facebook.master_model_id == instagram.master_model_id == "facebook_ads_api_v1"
    assert facebook.objects == instagram.objects
    assert instagram.api == "facebook_ads"


def test_an_unknown_connector_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInputError, match="did you mean 'shopify'"):
        load_catalogue(CATALOGUE).connector("shopfiy")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda d: d.update(conectors={}), "conectors: unknown key; did you mean 'connectors'?"),
        (lambda d: d.update(version=2), "version: value 2: the only valid version is 1"),
        (lambda d: d.update(version=True), "version: value true"),
        (lambda d: d.update(connectors=[]), "connectors: must be a mapping"),
        (lambda d: d.pop("connectors"), "connectors: must be a mapping"),
        (
            lambda d: d["connectors"]["shopify"].update(domain="shops"),
            "connectors.shopify.domain: value 'shops': not a valid choice; valid: analytics, "
            "ecommerce, paid_ads",
        ),
        (
            lambda d: d["connectors"]["shopify"].update(objekts=["orders"]),
            "connectors.shopify.objekts: value ['orders']: unknown key; did you mean 'objects'?",
        ),
        (
            lambda d: d["connectors"]["shopify"].pop("objects"),
            "connectors.shopify.objects: this key is required",
        ),
        (
            lambda d: d["connectors"]["shopify"].update(objects=["orders", "orders"]),
            "connectors.shopify.objects: value ['orders', 'orders']: listed twice: 'orders'",
        ),
        (
            lambda d: d["connectors"]["shopify"].update(objects=["Order Lines"]),
            "connectors.shopify.objects[0]: value 'Order Lines'",
        ),
        (lambda d: d["connectors"]["shopify"].update(objects=[]), "needs at least 1"),
        (
            lambda d: d["connectors"]["shopify"].update(master_model_id="shopfy_api_v1"),
            "did you mean 'shopify_api_v1'?",
        ),
        (lambda d: d["connectors"]["shopify"].update(api_version=1), "put the text in quotes"),
        (lambda d: d["connectors"]["shopify"].update(api_version="1"), "must match"),
        (lambda d: d["connectors"]["shopify"].update(name="x"), "connectors.shopify.name"),
        (lambda d: d["connectors"].update(Shop={}), "connectors.Shop: value 'Shop'"),
        (lambda d: d["connectors"].update(shop=None), "connectors.shop: value None"),
        (
            lambda d: d["connectors"]["instagram_ads"].update(objects=["ads"]),
            "connectors.instagram_ads.objects: value ['ads']: differs from 'facebook_ads'",
        ),
        (
            lambda d: d["connectors"]["instagram_ads"].update(domain="analytics"),
            "connectors.instagram_ads.domain: value 'analytics': differs from 'facebook_ads'",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path(tmp_path: Path, edit: Edit, expected: str) -> None:
    assert expected in refusal(tmp_path, edit)


def test_two_objects_that_would_get_one_model_name_are_refused(tmp_path: Path) -> None:
    def add_google_with_an_object_that_begins_with_ads(document: dict[str, Any]) -> None:
        stanza = document["connectors"]["shopify"]
        document["connectors"]["google"] = stanza | {"objects": ["ads_campaigns", "orders"]}
        document["connectors"]["google"] |= {"api": "google", "master_model_id": "google_api_v1"}

    message = refusal(tmp_path, add_google_with_an_object_that_begins_with_ads)

    assert "would also be that of 'google_ads', 'campaigns'" in message


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    def make_three_mistakes(document: dict[str, Any]) -> None:
        document["version"] = 7
        document["connectors"]["shopify"]["domain"] = "shop"
        document["connectors"]["mixpanel"]["labels"] = "x"

    message = refusal(tmp_path, make_three_mistakes)

    assert "3 problems" in message
    assert "version:" in message
    assert "connectors.shopify.domain" in message
    assert "connectors.mixpanel.labels" in message
