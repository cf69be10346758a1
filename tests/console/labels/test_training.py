"""Files of training rows: which column is what, what a cell says, and what is refused with its line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin_console.errors import UsageProblem
from tocsin_console.labels import files, training

Tocsin = Callable[..., Any]


def counted(tmp_path: Path, text: str, **said: Any) -> Any:
    """Read a file."""
    path = tmp_path / "rows.csv"
    path.write_text(text)
    file = files.opened(path)
    columns = training.match(file.names, said.get("mapped", {}), said.get("ignored", []))
    return training.count(file, columns, progress=lambda: None)


def test_what_plays_no_role_is_an_input(tmp_path: Path) -> None:
    """Numbers are numbers, texts categories, and what is empty is missing, as with calls."""
    counts = counted(
        tmp_path, "id,ink,device,y_pred,y_true,probability\n1,0.5,fax,3,3.0,0.9\n2,,fax,4,3,0.8\n", ignored=["id"]
    )

    assert (counts.rows, counts.labels, counts.refused) == (2, 2, 0)
    kinds = {(kind, name): n for (kind, name, _, _), n in counts.cells.items()}
    assert kinds == {
        ("number", "ink"): 1,
        ("null", "ink"): 1,
        ("category", "device"): 2,
        ("confidence", ""): 1,
        ("output", ""): 1,
    }
    assert sorted(right for (_, right), n in counts.labelled.items() for _ in range(n)) == [False, True]


def test_a_bad_row_is_counted_with_its_line_and_the_others_are_read(tmp_path: Path) -> None:
    """One typing error in a million rows is no reason to have no reference."""
    counts = counted(tmp_path, "ink,confidence\n1,0.9\n2,93\n3,0.8\n")

    assert (counts.rows, counts.refused) == (2, 1)
    assert counts.problems == ["line 3: expected a confidence from 0 to 1, got 93.0"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"mapped": {"truth": "ink"}}, "a role of output, label, confidence, correct"),
        ({"mapped": {"label": "nope"}}, "expected a column 'nope' for label"),
        ({"ignored": ["nope"]}, "expected a column 'nope' to ignore"),
        ({"ignored": ["ink"]}, "columns of inputs or a column 'confidence'"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(tmp_path: Path, said: dict[str, Any], message: str) -> None:
    """Before anything is read, with what the file has."""
    with pytest.raises(UsageProblem, match=message):
        counted(tmp_path, "ink\n1\n", **said)


@pytest.mark.usefixtures("running")
def test_a_file_becomes_a_provisional_reference(tocsin: Tocsin, tmp_path: Path) -> None:
    """The verb, through the API: nothing but counts is sent."""
    path = tmp_path / "train.csv"
    lines = [f"{at % 7},{at % 3},{at % 3 if at % 10 else 9},0.9" for at in range(300)]
    path.write_text("\n".join(["ink,prediction,label,confidence", *lines, "1,2,2,nine"]))

    result = tocsin("reference", "load", path, "--use-case", "launched", "--by", "ada")
    [shown] = json.loads(tocsin("reference", "show", "launched", "--json").stdout)

    assert result.exit_code == 1, result.output
    assert "line 302: expected a confidence" in result.output
    assert "launched: 300 rows, 300 of them labelled, 1 refused" in result.output
    assert shown["reference"]["is_provisional"]
    assert (shown["reference"]["origin"], shown["accepted_by"]) == ("rows", "ada")
