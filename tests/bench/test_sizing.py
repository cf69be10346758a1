"""What the page on sizing says is what the results come to."""

import json
from pathlib import Path

import pytest

from bench import sizing


def test_page_and_results_say_what_the_arithmetic_says(capsys: pytest.CaptureFixture[str]) -> None:
    """A benchmark that is run again changes what we tell people to buy."""
    code = sizing.main(["--check"])

    assert code == 0, capsys.readouterr().out


def test_every_number_can_be_worked_out_from_what_stands_beside_it() -> None:
    """An input is a figure of a file, is chosen and says why, or is a number above it."""
    made = json.loads((sizing.RESULTS / "sizing.json").read_text(encoding="utf-8"))

    for row in made["topologies"]:
        known: dict[str, float] = {}
        for need in row["needs"]:
            for name, each in need["inputs"].items():
                assert name in need["formula"]
                if each["source"] == "computed above":
                    assert each["value"] == known[name]
                elif not each["source"].startswith(("chosen: ", "shipped ", "CollectorSettings.")):
                    file, figures = each["source"].split(": ", 1)
                    assert (sizing.RESULTS / file).exists()
                    assert figures
            known[need["name"]] = need["value"]


def test_check_finds_a_figure_that_was_changed_by_hand(tmp_path: Path) -> None:
    """A check that cannot fail is none."""
    page = tmp_path / "sizing.md"
    page.write_text(sizing.PAGE.read_text(encoding="utf-8").replace("10 ", "11 "), encoding="utf-8")

    assert sizing._check(sizing.compute(), sizing.RESULTS / "sizing.json", page)
