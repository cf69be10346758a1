"""Files of labels, row by row: which column says what, what a cell means, and what is wrong with a row."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tocsin_collector.correct.verdicts import Claim
from tocsin_console.errors import UsageProblem
from tocsin_console.labels.cells import outcome_fields
from tocsin_console.labels.columns import match
from tocsin_console.labels.files import opened
from tocsin_console.labels.memory import Memory


def csv_of(folder: Path, text: str | bytes) -> Path:
    """Write a file."""
    file = folder / "labels.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def fields(cells: dict[str, Any], **given: str) -> dict[str, Any]:
    """Read one row by its columns' names."""
    return outcome_fields(list(cells.values()), match(list(cells), {}), given)


@pytest.mark.parametrize(
    ("names", "used"),
    [
        (("handle", "label"), {"handle": "handle", "label": "label"}),
        (("Business Key", "True-Label"), {"key": "Business Key", "label": "True-Label"}),
        (("gen_ai.response.id", "thumbs", "Comment"), {"response_id": "gen_ai.response.id", "thumb": "thumbs", "comment": "Comment"}),
        (("call_id", "ground_truth", "score", "date"), {"call_id": "call_id", "label": "ground_truth", "score": "score", "observed_at": "date"}),
    ],
)  # fmt: skip
def test_columns_are_found_by_sensible_names(names: tuple[str, ...], used: dict[str, str]) -> None:
    """An export of a labelling tool should need no preparation."""
    assert match(names, {}).used == used


def test_what_is_said_of_a_column_comes_first_and_the_rest_is_named() -> None:
    """A column of the right name may hold something else."""
    found = match(["Ticket", "label", "Kategorie"], {"key": "Ticket", "label": "Kategorie"})

    assert (found.used, found.unused) == ({"key": "Ticket", "label": "Kategorie"}, ["label"])


@pytest.mark.parametrize(
    ("names", "said", "words"),
    [
        (["label"], {}, "which call it is about"),
        (["handle"], {}, "what turned out to be true"),
        (["handle", "label"], {"colour": "label"}, "'colour'"),
        (["handle", "label"], {"label": "Label"}, "'Label'"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_is_missing(names: list[str], said: dict[str, str], words: str) -> None:
    """And how to say it."""
    with pytest.raises(UsageProblem, match=words):
        match(names, said)


def test_a_row_becomes_an_outcome() -> None:
    """Everything an outcome can say."""
    said = fields(
        {
            "key": "order-1",
            "use_case": "triage",
            "label": " billing ",
            "score": "0.5",
            "correct": "No",
            "minutes": "3",
            "observed_at": "2026-03-02T12:00:00+01:00",
            "author": "ana",
            "comment": "",
        },
        kind="review",
    )

    assert said == {
        "call": {"key": "order-1", "use_case": "triage"},
        "label": "billing",
        "score": 0.5,
        "correct": False,
        "minutes": 3.0,
        "observed_unix_nano": 1_772_449_200_000_000_000,
        "author": "ana",
        "kind": "review",
        "source": "labels",
    }


@pytest.mark.parametrize(
    ("thumb", "score"), [("up", 1.0), ("DOWN", 0.0), ("1", 1.0), (False, 0.0), ("\U0001f44d", 1.0)]
)
def test_a_thumb_is_feedback(thumb: Any, score: float) -> None:
    """As `record_feedback` has it."""
    said = fields({"handle": "t1.x", "thumb": thumb})

    assert (said["kind"], said["source"], said["score"]) == ("feedback", "thumbs", score)


@pytest.mark.parametrize(
    ("cell", "label"), [(3, "3"), (3.0, "3"), (2.5, "2.5"), (True, "True"), (b"b", "b"), ("3.0", "3.0")]
)
def test_a_label_is_spelled_as_the_calls_spell_it(cell: Any, label: str) -> None:
    """Parquet has numbers where a call said "3"."""
    assert fields({"handle": "t1.x", "label": cell})["label"] == label


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"key": "", "label": "x"}, "expected a call in 'key'"),
        ({"key": "a", "score": "much"}, "expected a number in 'score', got 'much'"),
        ({"key": "a", "value": "inf"}, "finite"),
        ({"key": "a", "correct": "maybe"}, "true or false in 'correct'"),
        ({"key": "a", "thumb": "sideways"}, "up or down"),
        ({"key": "a", "label": "x", "date": "yesterday"}, "2026-03-02"),
        ({"key": "a", "label": "x", "date": 1.7e18}, "1970 to 2106"),
        ({"key": "a", "label": ["x"]}, "expected one value in 'label', got list"),
        ({"key": "a", "label": "\udcff"}, "UTF-8"),
    ],
)
def test_a_cell_that_is_not_what_its_column_is_for_is_named(cells: dict[str, Any], words: str) -> None:
    """Column, expectation and what came."""
    with pytest.raises(ValueError, match=words):
        fields(cells)


@pytest.mark.parametrize(
    "cell", ["2026-03-02T12:00:00Z", "2026-03-02 12:00:00", 1_772_452_800, "1772452800", datetime(2026, 3, 2, 12, tzinfo=UTC)]
)  # fmt: skip
def test_times_are_read_in_the_usual_forms(cell: Any) -> None:
    """Without a zone they are UTC."""
    assert (
        fields({"handle": "t1.x", "label": "x", "at": cell, "date": cell})["observed_unix_nano"]
        == 1_772_452_800 * 10**9
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_of_csv_carry_the_line_where_they_begin(tmp_path: Path, delimiter: str) -> None:
    """With quoted line breaks, blank lines, a byte order mark and whatever spreadsheets put between cells."""
    text = 'key,comment\na,"one\ntwo"\n\nb,x\n'.replace(",", delimiter)
    file = opened(csv_of(tmp_path, b"\xef\xbb\xbf" + text.encode()))

    rows = list(file.rows())

    assert (list(file.names), file.done()) == (["key", "comment"], file.size)
    assert [(row.line, list(row.cells)) for row in rows] == [(2, ["a", "one\ntwo"]), (5, ["b", "x"])]


def test_a_bad_row_of_csv_is_only_itself(tmp_path: Path) -> None:
    """Too many cells, too few, broken quotes, bytes that are no UTF-8."""
    file = opened(csv_of(tmp_path, b'key,label\na,x,y\nb\nc,"q"uote\nd,\xff\ne,fine\n'))

    rows = list(file.rows())

    assert [row.line for row in rows] == [2, 3, 4, 5, 6]
    assert ["expected 2 cells" in row.problem for row in rows] == [True, True, False, False, False]
    assert rows[2].problem.startswith("expected CSV")
    assert list(rows[3].cells) == ["d", "\udcff"]
    assert list(rows[4].cells) == ["e", "fine"]


def test_parquet_is_known_by_its_first_bytes_and_read_in_pieces(tmp_path: Path) -> None:
    """Whatever it is called; values keep their types."""
    file = tmp_path / "labels.csv"
    table = pa.table({"key": [f"o-{n}" for n in range(20_000)], "label": list(range(20_000))})
    parquet.write_table(table, file)

    read = opened(file)
    rows = list(read.rows())

    assert (list(read.names), read.size, read.done()) == (["key", "label"], 20_000, 20_000)
    assert (rows[0].line, rows[-1].line, list(rows[-1].cells)) == (1, 20_000, ["o-19999", 19_999])


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing"])
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    """No traceback for a wrong file."""
    with pytest.raises(UsageProblem, match="expected a"):
        opened(csv_of(tmp_path, content))
    with pytest.raises(UsageProblem, match="No such file"):
        opened(tmp_path / "nowhere.csv")


def test_the_memory_of_a_file_knows_what_was_said_first() -> None:
    """Ids and claims, each with its line."""
    with Memory() as memory:
        assert [memory.line_of("a", 2), memory.line_of("b", 3), memory.line_of("a", 4)] == [None, None, 2]

        first = memory.contradicted("c1", "review", Claim(label="x"), 2)
        same = memory.contradicted("c1", "review", Claim(label="x"), 3)
        other = memory.contradicted("c1", "review", Claim(label="y"), 4)
        elsewhere = memory.contradicted("c1", "judge", Claim(label="y"), 5)

    assert (first, same, elsewhere) == (None, None, None)
    assert other == (2, Claim(label="x"))


@pytest.mark.parametrize(
    ("one", "other", "contradicts"),
    [
        (Claim(label="a"), Claim(label="b"), True),
        (Claim(label="a"), Claim(label="a"), False),
        (Claim(value=1.0), Claim(value=2.0), True),
        (Claim(verdict=True), Claim(verdict=False), True),
        (Claim(label="a", verdict=True), Claim(verdict=False), True),
        (Claim(label="a"), Claim(verdict=False), False),
        (Claim(label="a"), Claim(value=1.0), False),
        (Claim(), Claim(), False),
    ],
)
def test_two_claims_contradict_each_other_when_both_cannot_be_true(
    one: Claim, other: Claim, *, contradicts: bool
) -> None:
    """What is not said contradicts nothing."""
    assert one.contradicts(other) is other.contradicts(one) is contradicts
