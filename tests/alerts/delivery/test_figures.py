"""Figures of pages as specifications."""

from typing import Any

from tocsin_alerts.charts.figure import figure


def texts(spec: dict[str, Any]) -> list[tuple[str, float]]:
    """Every name of a mark, and how far down it stands."""
    words = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    return [(each["name"], layer["mark"]["dy"]) for layer in words for each in layer["data"]["values"]]


def test_names_of_marks_that_are_near_stand_below_one_another() -> None:
    """Two alerts of one night are one blot else; a mark far away need not be lower."""
    rows = [
        {"at": f"2026-06-{day:02}", "value": 0.9, "by": "labels", "lower": None, "upper": None} for day in range(1, 31)
    ]
    days = {
        "accuracy-drop": "03T00:00:00+00:00",
        "input-drift": "04T00:00:00+00:00",
        "segment-drop": "25T00:00:00+00:00",
    }
    marks = [{"at": f"2026-06-{day}", "name": name, "tone": "wrong"} for name, day in days.items()]

    spec = figure({"type": "series", "title": "t", "format": ".0%", "rows": rows, "marks": marks})

    down = dict(texts(spec))
    assert down["accuracy-drop"] == down["segment-drop"] < down["input-drift"]


def test_rows_without_marks_may_name_their_instants_as_they_like() -> None:
    """A person's SQL gives them."""
    rows = [{"at": at, "value": 1.0, "by": "a"} for at in ("week 1", "week 2")]

    assert figure({"type": "series", "title": "t", "format": "~s", "rows": rows})["layer"]
