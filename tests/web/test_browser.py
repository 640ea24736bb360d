"""The pages in a real headless Chromium: looks, scripts, keyboard, accessibility."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.published import OTHER, OWN, Installation
from tests.project import REPOSITORY
from tests.web.served import RIGHT_TO_LEFT, SCRIPT

playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: make setup"
)

CHROMIUM = os.environ.get("MARTLET_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium: install it (apt-get install chromium) or name it in MARTLET_CHROMIUM",
    ),
    pytest.mark.skipif(not AXE.is_file(), reason="node_modules is not installed: make setup"),
]
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
QUESTION = (
    f"/ui/{OWN}/explore?model=ad_performance&measure=spend&measure=ctr"
    "&dimension=campaigns.campaign_name&start=2026-06-01&end=2026-06-30"
)
PAGES = {
    "sign_in": "/ui/sign-in",
    "overview": f"/ui/{OWN}",
    "currencies": f"/ui/{OTHER}?currency=apart",
    "explore": f"/ui/{OWN}/explore",
    "names": QUESTION,
    "wrong": f"/ui/{OWN}/explore?model=orders&measure=revenu",
    "pipeline": f"/ui/{OWN}/pipeline",
    "schemas": f"/ui/{OWN}/schemas",
    "operator": "/ui/all-tenants",
    "missing": "/ui/nobody-here",
}
# What the browser itself says of an answer that is an error, as the page is then.
_EXPECTED = re.compile(r"the server responded with a status of (404|422)")
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any, address: str, installation: Installation) -> Iterator[Open]:
    """Give a function that opens a page, signed in as an operator unless told otherwise.

    At the end no page may have said anything on its console.
    """
    contexts, said = [], []

    def open_(path: str, size: str = "desktop", *, signed_in: bool = True, **options: Any) -> Any:
        context = browser.new_context(base_url=address, viewport=SIZES[size], **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"failed: {error}"))
        if signed_in:
            page.goto("/ui/sign-in")
            page.fill("#key", installation.key(OWN, "query", "observability", "admin"))
            page.click("button.main")
            page.wait_for_load_state()
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [text for text in said if not _EXPECTED.search(text)] == []


@pytest.mark.parametrize(("scheme", "size"), [("light", "desktop"), ("dark", "phone")])
@pytest.mark.parametrize("name", PAGES)
def test_each_page_fits_and_has_no_finding_of_accessibility(
    open_page: Open, name: str, scheme: str, size: str
) -> None:
    page = open_page(PAGES[name], size, signed_in=name != "sign_in", color_scheme=scheme)

    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document)")["violations"]

    assert too_wide <= 0
    assert [
        (finding["id"], finding["impact"], [node["target"] for node in finding["nodes"]])
        for finding in found
    ] == []


@pytest.mark.parametrize("path", [PAGES["overview"], PAGES["explore"], PAGES["names"]])
def test_charts_are_drawn(open_page: Open, path: str) -> None:
    page = open_page(path)

    drawn = page.locator("[data-drawn]")
    colours = page.evaluate(
        """[...document.querySelectorAll('[data-drawn] canvas')].map((canvas) => {
            const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return new Set(new Uint32Array(all.buffer)).size;
        })"""
    )

    assert drawn.count() == page.locator("[data-chart]").count() > 0
    assert all(count > 3 for count in colours)


def test_what_stands_in_names_is_never_run(open_page: Open) -> None:
    page = open_page(QUESTION)

    page.hover("[data-drawn]", position={"x": 300, "y": 60})
    page.wait_for_timeout(200)

    assert "taken" not in page.title()
    assert page.locator("main img").count() == 0
    assert page.locator("td", has_text=SCRIPT).count() == 1
    assert page.locator("td", has_text=RIGHT_TO_LEFT).count() == 1


def test_a_headline_number_shows_its_days_and_the_back_button_returns(open_page: Open) -> None:
    page = open_page(PAGES["overview"])

    page.click("#card-revenue")
    page.wait_for_selector("#card-revenue[aria-current]")
    first = page.locator(".chart h2").inner_text()
    focused = page.evaluate("document.activeElement.id")
    page.go_back()
    page.wait_for_selector("#card-spend[aria-current]")

    assert first.startswith("Revenue by day")
    assert focused == "card-revenue"
    assert page.locator(".chart h2").inner_text().startswith("Spend by day")
    assert page.locator("[data-drawn]").count() == 1


def test_a_choice_changes_answer_and_address_and_the_back_button_returns(open_page: Open) -> None:
    page = open_page(PAGES["explore"])
    before = page.url

    page.click("summary:has-text('Numbers')")
    page.check("input[value=clicks]")
    page.wait_for_selector("#answer th[title]:has-text('Clicks')")
    after = page.url
    page.keyboard.press("Escape")
    page.go_back()
    page.wait_for_url(before)
    page.wait_for_selector("#answer th[title]")

    assert "measure=spend&measure=clicks" in after
    assert page.locator("details.choice[open]").count() == 0
    assert page.locator("#answer th[title]", has_text="Clicks").count() == 0


def test_values_are_suggested_for_a_condition(open_page: Open) -> None:
    page = open_page(PAGES["explore"])

    page.click("summary:has-text('Only where')")
    page.select_option("select[name=field]", "source_platform")
    page.locator("input[name=value]").press_sequentially("goo")
    page.wait_for_selector("datalist option[value=google_ads]", state="attached")
    page.click("text=Another condition")

    assert page.locator(".filter").count() == 2
    assert page.evaluate("document.activeElement.name") == "field"


def test_a_question_can_be_copied(open_page: Open) -> None:
    page = open_page(PAGES["explore"], permissions=["clipboard-read", "clipboard-write"])

    page.click("summary:has-text('As a command')")
    page.click("[data-copy=copy-curl]")
    page.wait_for_selector("[data-copy=copy-curl]:has-text('Copied')")

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#copy-curl").inner_text()
    assert page.locator("#announcement").inner_text() == "Copied"


def test_the_keyboard_alone_reaches_the_content_and_shows_where_it_is(open_page: Open) -> None:
    page = open_page(PAGES["overview"])

    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.className")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert skip == "skip"
    assert outline == "solid"
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_light_and_dark_change_without_a_reload_and_stay(open_page: Open) -> None:
    page = open_page(PAGES["overview"], color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)

    page.click("[data-scheme-button]")
    dark = page.evaluate(ground)
    page.reload()

    assert light != dark
    assert page.evaluate(ground) == dark
    assert page.locator("[data-scheme-label]").inner_text() == "Light"


def test_a_session_that_ended_leads_an_open_page_to_the_sign_in(open_page: Open) -> None:
    page = open_page(PAGES["explore"])

    page.context.clear_cookies(name="martlet_session")
    page.click("summary:has-text('Numbers')")
    page.check("input[value=clicks]")
    page.wait_for_url("**/ui/sign-in?next=*")

    assert page.locator("h1").inner_text() == "Sign in"


def test_without_scripts_everything_is_there_as_text(open_page: Open) -> None:
    page = open_page(PAGES["explore"], java_script_enabled=False)

    page.click("summary:has-text('Numbers')")
    page.check("input[value=clicks]")
    page.click("button.main:has-text('Show')")
    page.wait_for_selector("#answer th[title]:has-text('Clicks')")

    assert "measure=spend&measure=clicks" in page.url
    assert page.locator("summary", has_text="The chart as a table").count() > 0
