"""YAML files, and what their errors say."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from tocsin_alerts import documents
from tocsin_alerts.errors import DocumentError
from tocsin_alerts.plan import Plan


class Channel(BaseModel):
    """As tocsin.yaml has them: a list of mappings, and a mapping by name."""

    model_config = ConfigDict(extra="forbid")
    kind: str
    url: str = ""


class Config(BaseModel):
    """A configuration with nested lists and mappings."""

    model_config = ConfigDict(extra="forbid")
    channels: list[Channel] = []
    named: dict[str, Channel] = {}
    limit: int | None = None


def findings(text: str, model: type[BaseModel] = Plan) -> list[str]:
    """List what is wrong with a text."""
    with pytest.raises(DocumentError) as caught:
        documents.parse(text, path="x.yaml").into(model)
    return [str(finding) for finding in caught.value.findings]


def test_every_mistake_is_named_with_its_line_and_the_nearest_name() -> None:
    """A team mends a file in one go, not one error a run."""
    text = "use_case: x\nguard:\n  mode: auto\nretraining:\n  trigger:\n    treshold: 1\nlabels: {delay: 5 days}\n"

    assert findings(text) == [
        "x.yaml:3: guard.mode: expected 'shadow' or 'automatic', got 'auto'",
        "x.yaml:6: unknown key 'retraining.trigger.treshold': did you mean 'threshold'? (valid: duration, metric, threshold, when)",
        "x.yaml:7: labels.delay: expected a duration such as 30s, 90m, 6h, 5d or 2w, got '5 days'",
    ]


def test_lists_and_named_mappings_keep_their_lines_and_names() -> None:
    """The same loader reads tocsin.yaml, whose channels are nested."""
    text = "channels:\n  - kind: log\n  - kind: webhook\n    ulr: x\nnamed:\n  ops:\n    kidn: log\nlimit: many\n"

    said = findings(text, Config)

    assert said[0] == "x.yaml:4: unknown key 'channels.1.ulr': did you mean 'url'? (valid: kind, url)"
    assert "x.yaml:6: expected a key 'named.ops.kind', got none" in said
    assert "x.yaml:7: unknown key 'named.ops.kidn': did you mean 'kind'? (valid: kind, url)" in said
    assert said[-1].startswith("x.yaml:8: limit: expected a valid integer")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("use_case: x\nowner: a\nowner: b\n", "x.yaml:3: the key 'owner' stands here and on line 2: keep one"),
        ("use_case: [", "x.yaml:1: this is no YAML"),
        ("a: &x [*x]", "x.yaml:1: expected an alias of something finished, got a loop"),
        ("use_case: !!python/name:os.system x", "x.yaml:1: expected a plain value, got the tag"),
        ("? [a]\n: 1", "x.yaml:1: expected a name as key"),
        ("- a\n", "x.yaml:1: the file: expected a valid dictionary"),
        ("", "x.yaml:1: expected a key 'use_case', got none"),
        ("use_case: x\nquality:\n  floor: 90\n", "x.yaml:3: quality.floor: expected a share between 0 and 1, got 90"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, says: str) -> None:
    """A repeated key silently loses one of two floors in most YAML readers."""
    assert findings(text)[0].startswith(says)


def test_words_that_other_readers_turn_into_something_else_stay_words() -> None:
    """YAML 1.1 reads off as false, 1:30 as 90, 010 as 8 and a date as a date."""
    data = documents.parse('a: off\nb: 1:30\nc: 010\nd: 2026-03-01\ne: "5"\nf: 1e-3\ng: true\nh: ~\n', path="x").data

    assert data == {"a": "off", "b": "1:30", "c": 10, "d": "2026-03-01", "e": "5", "f": 0.001, "g": True, "h": None}


def test_an_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    """One sentence, not a traceback."""
    (tmp_path / "latin.yaml").write_bytes(b"owner: M\xfcller")

    for name in ("none.yaml", "latin.yaml"):
        with pytest.raises(DocumentError, match="expected a readable UTF-8 file"):
            documents.load(tmp_path / name, Plan)
