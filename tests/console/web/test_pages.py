"""Pages, their twins, forms and news, over a running API."""

import csv
import http.client
import io
import json
from typing import Any

import pytest

from tocsin_console.web.sheet import sheet
from tocsin_console.web.templates import moment, sparkline

HTML = {"accept": "text/html"}


def get(address: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Ask as a browser does."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", path, headers=headers or HTML)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    connection.close()
    return found


def test_a_page_has_the_same_facts_as_json_and_csv(running: Any) -> None:
    """What is seen once is wanted in a notebook or a spreadsheet the next day."""
    page, as_json, as_csv = (get(running.address, path) for path in ("/", "/overview.json", "/overview.csv"))

    assert [page[0], as_json[0], as_csv[0]] == [200, 200, 200]
    assert json.loads(as_json[2])["use_cases"] == []
    assert as_csv[1]["content-type"].startswith("text/csv")
    assert "/overview.json" in page[2]


def test_a_page_refuses_scripts_and_styles_of_others(running: Any) -> None:
    """What a model said is shown here: a script in it must not run."""
    _, headers, text = get(running.address, "/")

    assert "'unsafe" not in headers["content-security-policy"]
    assert "<style" not in text
    assert " style=" not in text


def test_the_inside_of_a_page_is_given_alone(running: Any) -> None:
    """Live pages change in place."""
    part = get(running.address, "/", HTML | {"x-tocsin-part": "main"})[2]

    assert "<html" not in part
    assert "<h1>" in part


def test_an_address_without_a_page_says_so_to_people_and_programs(running: Any) -> None:
    """A mistyped link is the first thing that everybody meets."""
    page, document = get(running.address, "/nothing"), get(running.address, "/nothing", {"accept": "application/json"})

    assert (page[0], document[0]) == (404, 404)
    assert "no such page" in page[2]
    assert "<h1>" not in document[2]


def test_static_files_are_kept_for_ever_under_the_address_of_their_content(running: Any) -> None:
    """After an update nobody sees the old stylesheet, and until then nobody loads it twice."""
    _, _, text = get(running.address, "/")
    link = text.split('rel="stylesheet" href="')[1].split('"')[0]

    fresh, stale = get(running.address, link), get(running.address, "/static/tocsin.css?old")

    assert "immutable" in fresh[1]["cache-control"]
    assert stale[1]["cache-control"] == "no-cache"


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\n=1"])
def test_no_cell_is_a_formula(said: str) -> None:
    """A user's text must not run in the spreadsheet of who looks at it."""
    cell = next(csv.reader(io.StringIO(sheet([{"a": said}]).partition("\r\n")[2])))[0]

    assert cell.startswith("'")


def test_numbers_stay_numbers_and_what_is_unknown_stays_empty() -> None:
    """-1 is no formula, and 0 no unknown."""
    assert sheet([{"a": -1.5, "b": None, "c": 0}]).splitlines() == ["a,b,c", "-1.5,,0"]


def test_an_instant_is_utc_for_people_and_machines() -> None:
    """The reader's own time is the browser's to add."""
    assert str(moment(None)) == '<span class="unknown">never</span>'


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    """A line drawn over a gap says that somebody measured."""
    drawn = str(sparkline([1.0, 2.0, None, 1.0, 2.0], "x"))

    assert drawn.count("M") == 2


def test_an_open_page_hears_that_something_changed(running: Any) -> None:
    """On-call must not reload to see that a guard tripped."""
    connection = http.client.HTTPConnection(running.address, timeout=30)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    first = answer.readline()

    running.parts.news.changed()

    lines = [answer.readline() for _ in range(3)]
    connection.close()
    assert first == b"retry: 3000\n"
    assert b"event: changed\n" in lines
