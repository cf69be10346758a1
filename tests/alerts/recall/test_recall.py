"""Which calls are listed first, by which odds, and that a spreadsheet does nothing with them."""

import csv
import io
import math

import pytest

from tocsin_alerts.recall.odds import factors
from tocsin_alerts.recall.sheet import COLUMNS, harmless, lines


def row(name: str, value: str, n: int, wrong: float, expected: float) -> dict[str, object]:
    """A row of labelled.sql."""
    return {"name": name, "value": value, "n": n, "wrong": wrong, "expected_wrong": expected}


def test_labels_of_the_incident_move_the_odds_and_a_segment_that_stands_out_has_its_own() -> None:
    """A calibration from before the fall says 5 % of calls of which 40 % are wrong; in one device they all are."""
    found = factors(
        [
            row("", "", 400, 0.4, 0.05),
            row("device", "fax", 60, 0.9, 0.05),
            row("device", "camera", 200, 0.39, 0.05),
            row("lang", "en", 100, 0.1, 0.05),
        ]
    )

    assert found.overall == pytest.approx(
        (0.4 * 400 + 0.5) / (0.6 * 400 + 0.5) / ((0.05 * 400 + 0.5) / (0.95 * 400 + 0.5))
    )
    assert list(zip(found.names, found.values, strict=True)) == [("device", "fax"), ("lang", "en")]
    assert found.own[0] > found.overall > found.own[1] > 1
    assert found.labels == 400


def test_without_labels_nothing_is_moved_and_certainty_stays_finite() -> None:
    """None of thirty wrong is no proof that none is; and no labels are no reason to think anything."""
    nothing, never, always = factors([]), factors([row("", "", 30, 0.0, 0.1)]), factors([row("", "", 30, 1.0, 0.0)])

    assert (nothing.overall, nothing.names, nothing.labels) == (1.0, (), 0)
    assert 0 < never.overall < 1
    assert math.isfinite(always.overall)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1+cmd",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "|calc",
        "%0A=1",
        "\uff1d1",
        "\0=1",
        '=HYPERLINK("http://x")',
    ],
)
def test_no_cell_of_anybody_s_text_is_a_formula(text: str) -> None:
    """The list is opened in a spreadsheet by whoever corrects answers; call ids and answers come from outside."""
    call = dict.fromkeys(COLUMNS, text) | {"probability_wrong": 0.5, "known": True, "cost": None, "confidence": 0.25}

    head, read = list(csv.reader(io.StringIO("".join(lines([call])))))

    assert tuple(head) == COLUMNS
    told = dict(zip(head, read, strict=True))
    assert (told["probability_wrong"], told["confidence"], told["cost"]) == ("0.5", "0.25", "")
    assert told["call_id"] == harmless(text)
    assert told["call_id"].startswith("'")


def test_ordinary_text_stays_as_it_is() -> None:
    """A handle with an apostrophe before it finds no call."""
    assert harmless("t1.CgZkaWdpdHM") == "t1.CgZkaWdpdHM"
    assert harmless('a, "b"\nc') == 'a, "b"\nc'
    assert harmless(-0.5) == -0.5
