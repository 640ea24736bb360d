"""Signing in and out: what a session is bound to, and what does not open one."""

from datetime import timedelta

import httpx
import pytest

from martlet.access.keys import KeyStore
from martlet.access.rates import RateSettings
from martlet.api.settings import ServingSettings
from tests.api.published import OTHER, OWN, Installation
from tests.web.conftest import SignedIn
from tests.web.served import Visitor, running, words_of


def test_a_key_opens_a_session_in_a_cookie_that_scripts_cannot_read(
    visitor: Visitor, installation: Installation
) -> None:
    answer = visitor.sign_in(installation.key())

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/ui/{OWN}"
    (cookie,) = (c for c in answer.headers.get_list("set-cookie") if "martlet_session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # it came by http
    assert visitor.get(f"/ui/{OWN}").status_code == 200


def test_without_a_session_every_page_leads_to_the_sign_in_and_back(
    visitor: Visitor, installation: Installation
) -> None:
    target = f"/ui/{OWN}/explore?model=orders&measure=revenue"

    sent = visitor.get(target, follow=False)
    page = visitor.client.get(sent.headers["location"])
    answer = visitor.sign_in(installation.key(), next=target)

    assert sent.status_code == 303
    assert "model%3Dorders" in sent.headers["location"]
    assert "Sign in" in words_of(page.text)
    assert answer.headers["location"] == target


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/ui/",
        "//evil.example/ui",
        "/\\evil.example",
        "/ui\\..\\evil",
        "/v1/tyrell_corp/models",
        "javascript:alert(1)",
        "/ui/\r\nSet-Cookie: a=b",
        "/uimposter",
    ],
)
def test_the_sign_in_leads_to_no_other_site(
    visitor: Visitor, installation: Installation, elsewhere: str
) -> None:
    answer = visitor.sign_in(installation.key(), next=elsewhere)

    assert answer.headers["location"] == f"/ui/{OWN}"


@pytest.mark.parametrize("key", ["", "mk_", "wrong", f"mk_{'0' * 12}_{'a' * 43}", "é" * 50])
def test_what_is_no_key_opens_nothing_and_is_told_alike(visitor: Visitor, key: str) -> None:
    answer = visitor.sign_in(key)

    assert answer.status_code == 401
    assert "This key is not known" in words_of(answer.text)
    assert visitor.cookie is None
    assert len(key) < 4 or key not in answer.text


def test_an_expired_and_a_revoked_key_are_told_so(
    visitor: Visitor, installation: Installation
) -> None:
    expired = installation.key(lifetime=timedelta(microseconds=1))
    revoked = installation.key()
    with KeyStore(installation.settings.control) as keys:
        keys.revoke(revoked[3:15])

    assert "has expired" in words_of(visitor.sign_in(expired).text)
    assert "was revoked" in words_of(visitor.sign_in(revoked).text)


def test_signing_in_again_makes_a_new_session_and_ends_the_old_one(
    visitor: Visitor, installation: Installation
) -> None:
    visitor.sign_in(installation.key())
    before = visitor.cookie
    visitor.post("/ui/sign-out", {"form_token": visitor.token(f"/ui/{OWN}")})
    visitor.client.cookies.set("martlet_session", str(before))

    visitor.sign_in(installation.key())

    cookies = [c.value for c in visitor.client.cookies.jar if c.name == "martlet_session"]
    assert before is not None
    assert any(value != before for value in cookies)
    stale = httpx.get(
        visitor.client.base_url.join(f"/ui/{OWN}"), cookies={"martlet_session": before}
    )
    assert stale.status_code == 303


def test_the_sign_out_ends_the_session_for_good(signed_in: SignedIn) -> None:
    visitor = signed_in()
    cookie = str(visitor.cookie)

    answer = visitor.post("/ui/sign-out", {"form_token": visitor.token(f"/ui/{OWN}")})
    visitor.client.cookies.set("martlet_session", cookie)

    assert answer.headers["location"] == "/ui/sign-in?signed_out=1"
    assert visitor.get(f"/ui/{OWN}", follow=False).status_code == 303
    assert "signed out" in words_of(visitor.get("/ui/sign-in?signed_out=1").text)


def test_a_revoked_key_ends_its_sessions_at_the_next_request(
    visitor: Visitor, installation: Installation
) -> None:
    key = installation.key()
    visitor.sign_in(key)
    with KeyStore(installation.settings.control) as keys:
        keys.revoke(key[3:15])

    answer = visitor.get(f"/ui/{OWN}")

    assert "Your session has ended" in words_of(answer.text)


def test_a_page_that_is_open_when_the_session_ends_leads_to_the_sign_in(visitor: Visitor) -> None:
    answer = visitor.get(f"/ui/{OWN}/explore?model=orders", follow=False, **{"HX-Request": "true"})

    assert answer.status_code == 204
    assert answer.headers["hx-redirect"].startswith("/ui/sign-in?next=")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/ui/sign-in", "/ui/sign-out", "/ui/color-scheme"])
def test_a_form_of_another_site_changes_nothing(
    signed_in: SignedIn, path: str, headers: dict[str, str]
) -> None:
    visitor = signed_in()

    answer = visitor.post(path, {"form_token": visitor.token(f"/ui/{OWN}")}, headers)

    assert answer.status_code == 403
    assert visitor.get(f"/ui/{OWN}", follow=False).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "1.2", f"{2**40}.{'0' * 64}"])
def test_a_form_without_its_token_changes_nothing(
    visitor: Visitor, signed_in: SignedIn, installation: Installation, token: str
) -> None:
    stranger = visitor.post("/ui/sign-in", {"key": installation.key(), "form_token": token})
    known = signed_in()

    refused = known.post("/ui/sign-out", {"form_token": token})

    assert stranger.status_code == 403
    assert visitor.cookie is None
    assert refused.status_code == 403
    assert known.get(f"/ui/{OWN}", follow=False).status_code == 200


def test_a_token_of_another_browser_is_refused(
    visitor: Visitor, address: str, installation: Installation
) -> None:
    visitor.get("/ui/sign-in")

    answer = visitor.post(
        "/ui/sign-in", {"key": installation.key(), "form_token": Visitor(address).token()}
    )

    assert answer.status_code == 403


def test_a_body_that_is_no_form_or_too_long_is_refused(visitor: Visitor) -> None:
    headers = visitor.headers
    as_json = visitor.client.post("/ui/sign-in", json={"key": "x"}, headers=headers)
    large = visitor.post("/ui/sign-in", {"key": "x" * 300_000})

    assert as_json.status_code == 415
    assert large.status_code == 413


def test_who_guesses_keys_has_to_wait(installation: Installation) -> None:
    rates = RateSettings(failures_per_address="3/minute")
    with running(installation.settings, ServingSettings(rates=rates)) as url:
        visitor = Visitor(url)
        answers = [visitor.sign_in("mk_guess").status_code for _ in range(5)]
        told = visitor.sign_in("mk_guess")

    assert answers == [401, 401, 401, 429, 429]
    assert "You can ask again in" in words_of(told.text)
    assert int(told.headers["retry-after"]) > 0


def test_the_choice_of_light_or_dark_is_kept(visitor: Visitor) -> None:
    answer = visitor.post(
        "/ui/color-scheme",
        {"form_token": visitor.token(), "scheme": "dark", "next": "/ui/sign-in"},
    )

    assert answer.headers["location"] == "/ui/sign-in"
    assert '<html lang="en" data-scheme="dark">' in visitor.get("/ui/sign-in").text


def test_an_operator_begins_with_all_tenants(visitor: Visitor, installation: Installation) -> None:
    answer = visitor.sign_in(installation.key(OTHER, "admin"))

    assert answer.headers["location"] == "/ui/all-tenants"


def test_who_may_not_ask_for_numbers_begins_with_the_pipeline(
    visitor: Visitor, installation: Installation
) -> None:
    answer = visitor.sign_in(installation.key(OWN, "observability"))

    assert answer.headers["location"] == f"/ui/{OWN}/pipeline"
