"""A real server with the pages on a real port, and browsers of a kind in front of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from html.parser import HTMLParser
from io import StringIO

import httpx

from martlet.api.app import create_app
from martlet.api.settings import ServingSettings
from martlet.settings import Settings
from martlet.web.pages import add_pages
from tests.api.conftest import UNHINDERED
from tests.api.published import OTHER, OWN, Installation
from tests.project import REPOSITORY
from tests.serving import served

UNPUBLISHED = "nothing_yet"
SCRIPT = "<script>document.title='taken'</script>"
QUOTES = """"><img src=x onerror=alert(1)> 'single' "double" &amp; {{ 7*7 }}"""
LONG = "long " + "x" * 9_995
RIGHT_TO_LEFT = "\u202e\u0645\u0628\u064a\u0639\u0627\u062a \u0627\u0644\u0635\u064a\u0641\u202c"
NAMES = (SCRIPT, QUOTES, LONG, RIGHT_TO_LEFT)
_TOKEN = re.compile(r'name="form_token" value="([^"]*)"')


def prepare(installation: Installation) -> None:
    """Give the own tenant's campaigns names that nobody wishes for, and the other two currencies."""
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in NAMES)
    installation.publish(
        OWN,
        f"update analytics.dim_{OWN}__campaigns "
        f"set campaign_name = ([{names}])[cast(campaign_id as integer) + 1]",
    )
    installation.publish(
        OTHER,
        f"update analytics.fct_{OTHER}__ad_performance set currency = 'AUD', "
        "account_timezone = 'Australia/Sydney' where source_platform = 'google_ads'",
    )


@contextmanager
def running(settings: Settings, serving: ServingSettings | None = None) -> Iterator[str]:
    """Serve API and pages in a thread; give the address."""
    app = create_app(settings, serving or ServingSettings(rates=UNHINDERED), log_to=StringIO())
    add_pages(app, REPOSITORY / "node_modules")
    with served(app) as url:
        yield url


class Visitor:
    """A browser without scripts: it keeps cookies and says where its forms come from."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=60)
        self.headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}

    def get(self, path: str, *, follow: bool = True, **headers: str) -> httpx.Response:
        return self.client.get(path, follow_redirects=follow, headers=headers)

    def post(
        self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Post a form as the browser of this site would, unless `headers` say otherwise."""
        return self.client.post(path, data=fields, headers=self.headers | (headers or {}))

    def token(self, path: str = "/ui/sign-in") -> str:
        found = _TOKEN.search(self.get(path).text)
        assert found
        return unescape(found[1])

    def sign_in(self, key: str, **fields: str) -> httpx.Response:
        return self.post("/ui/sign-in", {"key": key, "form_token": self.token(), **fields})

    @property
    def cookie(self) -> str | None:
        return self.client.cookies.get("martlet_session")


class _Tags(HTMLParser):
    """Collects the start tags of a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the start tags of a page with their attributes."""
    parser = _Tags()
    parser.feed(page)
    return parser.found


def words_of(page: str) -> str:
    """Return the text of a page as a reader sees it."""
    without = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without)).split())
