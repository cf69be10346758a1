"""`tocsin rules render` shows what would be said, without a running tocsin."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with a Slack channel of a name of its own, and a template."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "firing.txt.j2").write_text("ours: {{ use_case }}\n")
    made = tmp_path / "tocsin.yaml"
    made.write_text("channels: [{name: room, type: slack, url: env:X}]\npublic_url: https://t.example.com/\n")
    return made


def test_the_teams_own_words_to_the_teams_own_channel(tocsin: Any, file: Path) -> None:
    """As it would be sent, link and all."""
    done = tocsin(
        "rules", "render", "accuracy-below-floor", "--channel", "room", "--fixture", "firing", "--config", file
    )

    body = json.loads(done.stdout.partition("\n")[2])
    assert body["blocks"][1]["elements"][0]["elements"][0]["text"] == "ours: digit-reader"
    assert body["blocks"][-1]["image_url"].startswith("https://t.example.com/alerts/")


def test_every_fixture_as_one_document(tocsin: Any) -> None:
    """For whoever checks templates in CI."""
    done = tocsin("rules", "render", "null-rate", "--json")

    said = json.loads(done.stdout)
    assert [each["fixture"] for each in said["messages"]] == [
        "firing",
        "night",
        "resolved",
        "no-data",
        "error",
        "fifty",
    ]
    assert said["findings"] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["no-such-rule"], "unknown rule"),
        (["null-rate", "--fixture", "fire"], "unknown fixture"),
        (["null-rate", "--channel", "slak"], "unknown channel"),
    ],
)
def test_a_slip_names_what_was_meant(tocsin: Any, args: list[str], said: str) -> None:
    """Nobody knows the names by heart."""
    done = tocsin("rules", "render", *args)

    assert done.exit_code == 2
    assert said in done.output
