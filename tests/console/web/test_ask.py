"""The SQL page: what it answers, in which forms, and what it refuses."""

import io
import json
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from tests.console.web.test_pages import HTML, get

from tocsin_console.reader import Answer
from tocsin_console.web.ask import _EXAMPLES, _figure, as_parquet


def test_a_question_is_an_address_with_four_forms(running: Any) -> None:
    """What one person found another opens."""
    q = quote("SELECT number AS a, '<b>' AS b FROM numbers(2)")

    page, as_json, as_csv = (get(running.address, f"/sql{kind}?q={q}") for kind in ("", ".json", ".csv"))

    assert "&lt;b&gt;" in page[2]
    assert "<b>" not in page[2]
    assert json.loads(as_json[2])["rows"] == [[0, "<b>"], [1, "<b>"]]
    assert as_csv[2].splitlines() == ["a,b", "0,<b>", "1,<b>"]


@pytest.mark.parametrize("title", [title for title, _ in _EXAMPLES])
def test_every_example_runs(running: Any, title: str) -> None:
    """The first thing that is pressed."""
    page = get(running.address, f"/sql?q={quote(dict(_EXAMPLES)[title])}")

    assert page[0] == 200
    assert "notice wrong" not in page[2]


@pytest.mark.parametrize(
    "sql", ["DROP TABLE calls", "SELECT * FROM file('/etc/passwd')", "SELECT key_id FROM ingest_keys", "SELEC 1"]
)
def test_a_refused_question_stays_in_the_form_with_the_reason(running: Any, sql: str) -> None:
    """It is mended there, not typed again."""
    page = get(running.address, f"/sql?q={quote(sql)}")

    assert page[0] == 200
    assert 'role="alert"' in page[2]
    assert get(running.address, f"/sql.json?q={quote(sql)}")[0] == 400


def test_a_link_on_another_site_runs_nothing(running: Any) -> None:
    """It fills the form in; a person reads it and presses the button."""
    page = get(running.address, f"/sql?q={quote('SELECT 41 + 1')}", HTML | {"sec-fetch-site": "cross-site"})

    assert "SELECT 41 + 1" in page[2]
    assert "42" not in page[2]


def test_an_answer_keeps_its_types_in_parquet() -> None:
    """A notebook reads numbers as numbers; what Parquet has no type for is text."""
    answer = Answer(
        columns=("n", "x", "s", "x", "a"),
        types=("UInt64", "Nullable(Float64)", "String", "Decimal(18, 9)", "Array(Map(String, Int8))"),
        rows=((2**63, None, "é", "1.5", [{"k": 1}]), (1, 0.25, "", "2", [])),
    )

    table = pq.read_table(io.BytesIO(as_parquet(answer)))

    assert table.column_names == ["n", "x", "s", "x_2", "a"]
    assert table.column("x").to_pylist() == [None, 0.25]
    assert table.num_rows == 2


@pytest.mark.parametrize(
    ("types", "rows", "kind"),
    [
        (("Date", "UInt64"), (("2026-03-01", 1), ("2026-03-02", 2)), "series"),
        (
            ("DateTime", "String", "Float64"),
            (("2026-03-01 00:00:00", "a", 1), ("2026-03-01 00:00:00", "b", None)),
            "series",
        ),
        (("LowCardinality(String)", "Int8"), (("a", 1), ("b", 2)), "bars"),
        (("Date", "UInt64"), (("2026-03-01", 1),), None),
        (("UInt8", "UInt8"), ((1, 1), (2, 2)), None),
        (("String", "String"), (("a", "b"), ("c", "d")), None),
    ],
)
def test_what_can_be_drawn_is(types: tuple[str, ...], rows: tuple[tuple[Any, ...], ...], kind: str | None) -> None:
    """A picture of ids is no picture."""
    figure = _figure(Answer(columns=tuple("abc"[: len(types)]), types=types, rows=rows))

    assert (figure["type"] if figure else None) == kind
