"""Explore: any question by its address, its answer as the API gives it, and what it refuses."""

import io
import json
import re
from html import unescape
from urllib.parse import quote, urlencode

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.published import E_MAIL, OWN, Installation
from tests.web.conftest import SignedIn
from tests.web.served import SCRIPT, words_of

BASE = f"/ui/{OWN}/explore"
ADS = (
    "model=ad_performance&measure=spend&measure=clicks&dimension=source_platform"
    "&start=2026-06-01&end=2026-06-30"
)


def test_without_a_question_the_address_becomes_one(signed_in: SignedIn) -> None:
    answer = signed_in().get(BASE)

    assert answer.status_code == 200
    assert answer.url.query == (
        b"model=ad_performance&measure=spend&start=2026-06-01&end=2026-06-30&grain=day"
    )


@pytest.mark.parametrize("model", ["ad_performance", "orders", "sessions", "campaigns", "blended"])
def test_every_subject_begins_with_an_answer(signed_in: SignedIn, model: str) -> None:
    answer = signed_in().get(f"{BASE}?model={model}")

    assert answer.status_code == 200
    assert re.search(r"\d rows? ", words_of(answer.text))


def test_the_answer_is_that_of_the_api_with_its_version(
    signed_in: SignedIn, address: str, installation: Installation
) -> None:
    body = {
        "model": "ad_performance",
        "measures": ["spend", "clicks"],
        "dimensions": ["source_platform"],
        "time": {"start": "2026-06-01", "end": "2026-06-30"},
    }
    told = httpx.post(
        f"{address}/v1/{OWN}/query",
        json=body,
        headers={"Authorization": f"Bearer {installation.key()}"},
    ).json()

    words = words_of(signed_in().get(f"{BASE}?{ADS}").text)

    for platform, spend, clicks in told["rows"]:
        name = {"google_ads": "Google Ads", "facebook_ads": "Facebook Ads"}[platform]
        assert f"{name} ${spend:,.2f} {clicks:,}" in words
    assert told["data_version"] in words


def test_what_a_form_leaves_empty_is_left_out_of_the_address(signed_in: SignedIn) -> None:
    visitor = signed_in()
    stated = f"{BASE}?{ADS}&field=&op=eq&value=&order=&convert_to=&grain=&limit=500"

    sent = visitor.get(stated, follow=False)
    by_script = visitor.get(stated, **{"HX-Request": "true"})

    assert sent.status_code == 303
    assert sent.headers["location"] == f"{BASE}?{ADS}"
    assert by_script.headers["hx-push-url"] == f"{BASE}?{ADS}"


def test_the_history_gets_no_second_entry_for_the_same_question(
    signed_in: SignedIn, address: str
) -> None:
    shown = {"HX-Request": "true", "HX-Current-URL": f"{address}{BASE}?{ADS}"}

    answer = signed_in().get(f"{BASE}?{ADS}", **shown)

    assert answer.headers["hx-push-url"] == "false"


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_download_has_the_rows_of_the_answer(signed_in: SignedIn, kind: str) -> None:
    answer = signed_in().get(f"{BASE}/answer.{kind}?{ADS}&limit=1")

    assert answer.status_code == 200
    disposition = answer.headers["content-disposition"]
    assert disposition == (
        f'attachment; filename="{OWN}_ad_performance_2026-06-01_2026-06-30.{kind}"'
    )
    if kind == "csv":
        lines = answer.text.splitlines()
        assert lines[0] == '"source_platform","spend","clicks"'
        assert len(lines) == 3
    else:
        table = (
            pq.read_table(io.BytesIO(answer.content))
            if kind == "parquet"
            else pa.ipc.open_stream(answer.content).read_all()
        )
        assert table.column_names == ["source_platform", "spend", "clicks"]
        assert table.num_rows == 2


def test_there_is_no_download_without_a_session_or_of_another_kind(
    signed_in: SignedIn, address: str
) -> None:
    assert httpx.get(f"{address}{BASE}/answer.csv?{ADS}").status_code == 303
    assert signed_in().get(f"{BASE}/answer.exe?{ADS}").status_code == 404


def test_the_question_can_be_taken_to_the_other_doors(
    signed_in: SignedIn, address: str, installation: Installation
) -> None:
    name = "it's"
    query = f"{ADS}&field=campaigns.campaign_name&op=ne&value={quote(name)}"
    page = signed_in().get(f"{BASE}?{query}").text

    def text(id_: str) -> str:
        found = re.search(rf'<code id="{id_}">(.*?)</code>', page, re.DOTALL)
        assert found
        return unescape(found[1])

    curl, call, sql = text("copy-curl"), json.loads(text("copy-mcp")), text("copy-sql")
    body = re.search(r"-d '(.*)'$", curl, re.DOTALL)
    assert body
    asked = json.loads(body[1].replace("'\"'\"'", "'"))
    answer = httpx.post(
        f"{address}/v1/{OWN}/query",
        json=asked,
        headers={"Authorization": f"Bearer {installation.key()}"},
    )
    assert answer.status_code == 200
    assert f"{address}/v1/{OWN}/query" in curl
    assert "mk_" not in curl
    assert call["name"] == "query_metrics"
    assert call["arguments"]["filters"] == [["campaigns.campaign_name", "ne", name]]
    assert sql.startswith(f'-- $row00 = "{name}"')
    assert name not in sql.split("SELECT", 1)[1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("model=orders&measure=revenu", "did you mean"),
        ("model=orders&measure=revenue&dimension=nothing", "has no dimension"),
        (
            "model=orders&measure=revenue&start=2026-07-01&end=2026-06-01",
            "Period: start 2026-07-01 is after end",
        ),
        ("model=orders&measure=revenue&start=June&end=2026-06-01", "First day:"),
        ("model=orders&measure=revenue&grain=hour", "Period, divided:"),
        ("model=orders&measure=revenue&field=revenue&op=gt&value=much", "Revenue:"),
        ("model=orders&measure=revenue&field=source_platform&op=like&value=x", "Condition 1:"),
        ("model=orders&measure=revenue&limit=9999999", "Rows:"),
        ("model=orders&measure=revenue&cursor=forged", "ursor"),
        ("model=blended&measure=cac&convert_to=ABC", "rate"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why_beside_its_form(
    signed_in: SignedIn, query: str, words: str
) -> None:
    answer = signed_in().get(f"{BASE}?{query}")

    assert answer.status_code == 422
    assert words in words_of(answer.text)
    assert '<form class="question"' in answer.text


def test_a_subject_that_does_not_exist_is_a_page_of_its_own(signed_in: SignedIn) -> None:
    answer = signed_in().get(f"{BASE}?model=ordes&measure=x")

    assert answer.status_code == 404
    assert "did you mean 'orders'" in words_of(answer.text)


def test_a_parameter_that_means_nothing_is_told(signed_in: SignedIn) -> None:
    answer = signed_in().get(f"{BASE}?{ADS}&colour=red")

    assert answer.status_code == 200
    assert "knows nothing of colour" in words_of(answer.text)


def test_nothing_chosen_asks_for_a_choice(signed_in: SignedIn) -> None:
    answer = signed_in().get(f"{BASE}?model=orders&start=2026-06-01")

    assert "Choose at least one number" in words_of(answer.text)


def test_no_rows_say_from_when_there_are_data(signed_in: SignedIn) -> None:
    answer = signed_in().get(
        f"{BASE}?model=orders&measure=revenue&dimension=source_platform"
        "&start=2020-01-01&end=2020-01-31"
    )

    assert answer.status_code == 200
    assert "No rows" in words_of(answer.text)


def test_people_are_masked_without_the_scope_and_cannot_be_searched(signed_in: SignedIn) -> None:
    by_person = f"{BASE}?model=orders&measure=revenue&dimension=customer_email&limit=5000"
    filtered = f"{BASE}?model=orders&measure=revenue&field=customer_email&op=eq&value={E_MAIL}"
    search = f"{BASE}/values?model=orders&field=customer_email&value=roy"
    masked, seeing = signed_in(OWN, "query"), signed_in(OWN, "query", "pii")

    assert E_MAIL not in masked.get(by_person).text
    assert "p_" in masked.get(by_person).text
    assert E_MAIL in seeing.get(by_person).text
    refused = masked.get(filtered)
    assert refused.status_code == 422
    assert "pii" in refused.text
    assert "$" in words_of(seeing.get(filtered).text)
    assert E_MAIL not in masked.get(search).text
    assert E_MAIL in seeing.get(search).text


def test_values_are_suggested_as_text(signed_in: SignedIn) -> None:
    address = f"{BASE}/values?" + urlencode(
        {"model": "ad_performance", "field": "campaigns.campaign_name", "value": "script"}
    )

    page = signed_in().get(address).text

    assert SCRIPT not in page
    assert SCRIPT in unescape(page)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "model=nothing&field=x&value=y",
        "model=ad_performance&field=spend&value=1",
        "model=ad_performance&field=x%00&value=%00",
        f"model=ad_performance&field=source_platform&value={'x' * 5000}",
    ],
)
def test_where_nothing_can_be_suggested_there_is_nothing(signed_in: SignedIn, query: str) -> None:
    answer = signed_in().get(f"{BASE}/values?{query}")

    assert answer.status_code == 200
    assert answer.text.strip() == ""


def test_pages_of_rows_lead_to_one_another(signed_in: SignedIn) -> None:
    visitor = signed_in()
    first = visitor.get(f"{BASE}?model=orders&measure=revenue&dimension=order_id&limit=50").text
    link = re.search(r'href="([^"]*)">Next rows', first)
    assert link

    second = visitor.get(unescape(link[1])).text

    assert "The first 50 rows" in words_of(first)
    assert "40 rows" in words_of(second)
    assert "Next rows" not in second


def test_the_question_of_an_agent_opens_as_a_page(signed_in: SignedIn) -> None:
    asked = {
        "model": "orders",
        "measures": ["revenue"],
        "filters": [["order_id", "in", ["1", "2"]]],
    }

    answer = signed_in().get(f"{BASE}?q={quote(json.dumps(asked))}")

    assert answer.status_code == 200
    assert "measure=revenue" in str(answer.url)
    assert signed_in().get(f"{BASE}?q=%7Bno").status_code == 400


def test_totals_stand_below_the_rows(signed_in: SignedIn) -> None:
    words = words_of(signed_in().get(f"{BASE}?{ADS}&totals=1").text)

    assert re.search(r"Total \$[\d,.]+ [\d,]+", words)
