"""Every page in every state: full, empty, stale, refused, broken; and what all of them send."""

import re
from pathlib import Path

import pytest

from martlet.access.rates import RateSettings
from martlet.api.settings import ServingSettings
from martlet.marts.folders import mart_folder
from tests.api.published import OTHER, OWN, Installation, install
from tests.web.conftest import SignedIn
from tests.web.served import UNPUBLISHED, Visitor, running, tags_of, words_of

PAGES = ("", "/explore", "/pipeline", "/schemas", "/pipeline/runs/run0")


@pytest.mark.parametrize("path", PAGES)
def test_each_page_names_freshness_and_version(
    signed_in: SignedIn, installation: Installation, path: str
) -> None:
    answer = signed_in().get(f"/ui/{OWN}{path}")

    words = words_of(answer.text)
    version = mart_folder(installation.settings, OWN).current()
    assert answer.status_code == 200
    assert f"Version {version}" in words
    assert "Published" in words


@pytest.mark.parametrize("path", [f"/ui/{OWN}{page}" for page in PAGES] + ["/ui/all-tenants"])
def test_no_page_has_an_inline_script_or_style_or_anything_of_another_host(
    signed_in: SignedIn, path: str
) -> None:
    answer = signed_in(OWN, "admin").get(path)

    tags = tags_of(answer.text)
    names = {name for _, attributes in tags for name in attributes}
    addresses = [
        attributes[name]
        for _, attributes in tags
        for name in ("src", "href", "action")
        if name in attributes
    ]
    assert answer.status_code == 200
    assert all("src" in attributes for tag, attributes in tags if tag == "script")
    assert all(tag not in ("style", "iframe", "object", "embed", "base") for tag, _ in tags)
    assert not [name for name in names if name == "style" or name.startswith("on")]
    assert addresses
    assert all(re.match(r"/(?!/)|#", address or "") for address in addresses)


@pytest.mark.parametrize("path", ["/ui/sign-in", f"/ui/{OWN}", "/ui/no/such/page"])
def test_every_answer_has_the_headers_that_protect_it(signed_in: SignedIn, path: str) -> None:
    headers = signed_in().get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_foreign_tenant_is_answered_like_a_missing_one(signed_in: SignedIn) -> None:
    visitor = signed_in()

    def shown(tenant: str, page: str) -> tuple[int, str]:
        answer = visitor.get(f"/ui/{tenant}{page}", follow=False)
        hidden = answer.headers["x-request-id"]
        return answer.status_code, answer.text.replace(tenant, "T").replace(hidden, "R")

    for page in ("", "/explore", "/pipeline", "/schemas", "/explore/answer.csv"):
        foreign, missing = shown(OTHER, page), shown("no_such_tenant", page)
        assert foreign == missing
        assert foreign[0] == 404


@pytest.mark.parametrize(
    "path",
    ["/ui/nothing-here", f"/ui/{OWN}/nothing", f"/ui/{OWN}/pipeline/runs/none", "/ui/a/b/c"],
)
def test_a_page_that_does_not_exist_says_so_as_a_page(signed_in: SignedIn, path: str) -> None:
    answer = signed_in().get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is no such page" in words_of(answer.text)


def test_all_tenants_is_no_page_for_who_is_no_operator(signed_in: SignedIn) -> None:
    answer = signed_in().get("/ui/all-tenants")

    assert answer.status_code == 404


def test_a_key_without_the_scope_is_told_which_one_is_missing(signed_in: SignedIn) -> None:
    answer = signed_in(OWN, "query").get(f"/ui/{OWN}/pipeline")

    assert answer.status_code == 403
    assert "the scope observability" in words_of(answer.text)
    assert "/pipeline" not in re.sub(r'value="[^"]*"', "", answer.text)


def test_a_tenant_without_data_sees_what_will_come(signed_in: SignedIn) -> None:
    visitor = signed_in(UNPUBLISHED)

    for path, words in (
        ("", "Nothing is published yet"),
        ("/explore", "Nothing is published yet"),
        ("/pipeline", "Nothing ran yet"),
        ("/schemas", "Nothing ran yet"),
    ):
        answer = visitor.get(f"/ui/{UNPUBLISHED}{path}")
        assert answer.status_code == 200
        assert words in words_of(answer.text)


def test_an_operator_sees_every_tenant_and_no_secret(
    signed_in: SignedIn, installation: Installation
) -> None:
    key = installation.key(OTHER, "query")

    page = signed_in(OWN, "admin").get("/ui/all-tenants").text

    words = words_of(page)
    assert "Tyrell Corp" in words
    assert "Wayne Enterprises" in words
    assert key[:15] in page
    assert key[16:] not in page


def test_an_operator_opens_each_tenant_but_none_that_is_unknown(signed_in: SignedIn) -> None:
    visitor = signed_in(OWN, "admin")

    assert visitor.get(f"/ui/{OTHER}").status_code == 200
    assert visitor.get("/ui/no_such_tenant").status_code == 404
    assert visitor.get("/ui/no_such_tenant/pipeline").status_code == 404


def test_who_asks_too_often_reads_when_to_come_back(installation: Installation) -> None:
    rates = RateSettings(per_key="2/minute")
    with running(installation.settings, ServingSettings(rates=rates)) as url:
        visitor = Visitor(url)
        visitor.sign_in(installation.key())
        answers = [visitor.get(f"/ui/{OWN}") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "You can ask again in" in words_of(answers[-1].text)


def test_a_damaged_mart_is_told_without_a_path(tmp_path: Path) -> None:
    broken = install(tmp_path / "broken")
    folder = mart_folder(broken.settings, OWN)
    version = folder.current()
    assert version is not None
    folder.path_of(version).write_bytes(b"no database" * 1_000)
    with running(broken.settings) as url:
        visitor = Visitor(url)
        visitor.sign_in(broken.key())
        answer = visitor.get(f"/ui/{OWN}")

    assert answer.status_code == 503
    assert "The data cannot be read now" in words_of(answer.text)
    assert str(tmp_path) not in answer.text


def test_an_unreadable_file_of_keys_is_told_as_a_page(tmp_path: Path) -> None:
    made = install(tmp_path / "made")
    key = made.key()
    with running(made.settings) as url:
        visitor = Visitor(url)
        visitor.sign_in(key)
        damaged = tmp_path / "damaged"
        damaged.write_bytes(b"no database" * 1_000)
        damaged.replace(made.settings.control)
        answer = visitor.get(f"/ui/{OWN}")

    assert answer.status_code == 503
    assert "Keys cannot be checked now" in words_of(answer.text)
    assert str(tmp_path) not in answer.text


def test_static_files_are_kept_for_long_only_under_the_address_of_their_content(
    visitor: Visitor,
) -> None:
    page = visitor.get("/ui/sign-in").text
    address = re.findall(r'href="(/static/app\.css[^"]*)"', page)[0]

    exact = visitor.get(address, **{"Accept-Encoding": "gzip"})
    other = visitor.get("/static/app.css?v=old")
    again = visitor.get(address, **{"If-None-Match": exact.headers["etag"]})

    assert "immutable" in exact.headers["cache-control"]
    assert exact.headers["content-encoding"] == "gzip"
    assert "immutable" not in other.headers["cache-control"]
    assert exact.text == other.text
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["../pages.py", "%2e%2e/pages.py", "vendor/../../pages.py", "app.py", "", "vendor/"]
)
def test_only_listed_files_are_served(visitor: Visitor, path: str) -> None:
    assert visitor.get(f"/static/{path}").status_code == 404


def test_head_and_a_wrong_method_are_answered(signed_in: SignedIn) -> None:
    visitor = signed_in()

    assert visitor.client.head(f"/ui/{OWN}").status_code == 200
    assert visitor.client.delete(f"/ui/{OWN}").status_code == 405


def test_the_first_page_takes_less_than_300_ms(signed_in: SignedIn) -> None:
    visitor = signed_in()
    visitor.get(f"/ui/{OWN}")

    seconds = [visitor.get(f"/ui/{OWN}").elapsed.total_seconds() for _ in range(5)]

    assert min(seconds) < 0.3
    assert len(visitor.get(f"/ui/{OWN}").content) < 60_000
