"""The verbs spool and deadletter, over the API of what runs and over the folder when nothing does."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.collector.sending import trace_request
from tests.collector.spooled import spool_file
from tests.console.conftest import Running

from tocsin_collector.spool.frames import digest
from tocsin_collector.store.database import Database
from tocsin_console.config import Config

Tocsin = Callable[..., Any]
BODIES = [trace_request(2, number=n, word=f"word-{n}").SerializeToString() for n in range(3)]


@pytest.fixture
def segment(config: Config) -> Path:
    """A segment that waits in the spool."""
    path = config.data_dir / "spool" / "traces" / "00000001.seg"
    path.parent.mkdir(parents=True)
    spool_file(path, BODIES)
    return path


@pytest.fixture
def letter(running: Running) -> str:
    """A request that was set aside; its digest."""
    name = digest(BODIES[0]).hex()
    now = datetime(2026, 3, 2, tzinfo=UTC)
    row = {"project": "default", "kind": "traces", "digest": name, "segment": "s", "reason": "a view refused it"}
    rows = [{**row, "body": BODIES[0], "received_at": now, "received_ns": 7, "position": 0, "together": 0, "at": now}]
    running.database.insert("dead_letters", rows)
    return name


@pytest.fixture(autouse=True)
def no_letters(store: Database) -> None:
    """The tests of this module share one store."""
    store.command("TRUNCATE TABLE dead_letters")


@pytest.mark.parametrize("over", ["api", "folder"])
def test_ls_and_verify_say_the_same_over_both_ways(
    over: str, tocsin: Tocsin, segment: Path, request: pytest.FixtureRequest
) -> None:
    """A stopped collector's spool must be readable as well as a running one's."""
    if over == "api":
        request.getfixturevalue("running")

    listed = tocsin("spool", "ls", "--json")
    whole = tocsin("spool", "verify", "--json")
    segment.write_bytes(segment.read_bytes().replace(b"word-1", b"word-x"))
    damaged = tocsin("spool", "verify")

    [row] = json.loads(listed.stdout)
    assert (row["file"], row["state"], row["requests"], row["items"]) == ("traces/00000001.seg", "waiting", 3, 9)
    assert json.loads(whole.stdout)["is_whole"]
    assert (whole.exit_code, damaged.exit_code) == (0, 1)
    assert "traces/00000001.seg" in damaged.stdout


def test_replay_queues_a_file_and_knows_what_is_stored(tocsin: Tocsin, running: Running, segment: Path) -> None:
    """Asked twice by a nervous person, it must not store twice."""
    kept = segment.rename(segment.with_name("kept.seg"))

    first = tocsin("spool", "replay", kept, "--json")
    [answer] = json.loads(first.stdout)
    running.database.command(
        f"INSERT INTO load_ledger (segment, kind, state, at) VALUES ('{answer['segment']}', 'traces', 'loaded', now64(6))"
    )
    second = tocsin("spool", "replay", kept, "--kind", "traces")

    assert (answer["queued"], answer["requests"], answer["kind"]) == (True, 3, "traces")
    assert segment.with_name("00000002.seg").exists() or segment.exists()
    assert "stored already" in second.stdout


def test_replay_of_something_else_is_explained(tocsin: Tocsin, running: Running, tmp_path: Path) -> None:
    """A wrong path or a foreign file is a usage problem with a sentence."""
    foreign = tmp_path / "traces-notes.txt"
    foreign.write_text("not a frame")

    missing, strange, unnamed = (
        tocsin("spool", "replay", path) for path in (tmp_path / "traces-no.seg", foreign, tmp_path / "no.seg")
    )

    assert [each.exit_code for each in (missing, strange, unnamed)] == [2, 2, 2]
    assert "No such file" in missing.stderr
    assert "none that is whole" in strange.stderr
    assert "--kind" in unnamed.stderr
    assert running.address


def test_dead_letters_are_listed_shown_and_retried(tocsin: Tocsin, config: Config, letter: str, tmp_path: Path) -> None:
    """The reason, the bytes, and another chance: without SQL."""
    listed = tocsin("deadletter", "ls")
    shown = tocsin("deadletter", "show", letter[:8], "--body", tmp_path / "body", "--json")
    retried = tocsin("deadletter", "retry", "--reason", "a VIEW", "--json")

    assert listed.exit_code == 1
    assert "a view refused it" in listed.stdout
    assert json.loads(shown.stdout)["reason"] == "a view refused it"
    assert (tmp_path / "body").read_bytes() == BODIES[0]
    assert json.loads(retried.stdout) == {"queued": 1, "already_stored": 0, "problems": []}
    assert len(list((config.data_dir / "spool" / "traces").glob("*.seg"))) == 1


def test_letter_of_a_group_that_is_not_whole_is_not_retried(tocsin: Tocsin, running: Running, letter: str) -> None:
    """Some tables hold rows of its group: without the others, in order, its token is another, and rows would double."""
    running.database.command(
        f"ALTER TABLE dead_letters UPDATE together = 3 WHERE digest = '{letter}' SETTINGS mutations_sync = 1"
    )

    answer = tocsin("deadletter", "retry", letter)

    assert answer.exit_code == 1
    assert "could store those rows twice" in answer.stderr


def test_retry_of_nothing_in_particular_is_refused(tocsin: Tocsin, running: Running) -> None:
    """All is a word that a person should have to say; and nothing to retry is said."""
    assert tocsin("deadletter", "retry").exit_code == 2
    assert tocsin("deadletter", "retry", "--all").exit_code == 2
    assert tocsin("deadletter", "show", "00").exit_code == 2
    assert tocsin("deadletter", "ls").exit_code == 0
    assert running.address


def test_dead_letters_can_be_read_while_nothing_runs(tmp_path: Path) -> None:
    """A collector that does not start may be the reason to look."""
    command = [
        sys.executable,
        "-m",
        "tocsin_console",
        "deadletter",
        "ls",
        "--json",
        "--data-dir",
        str(tmp_path / "data"),
    ]

    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (answer.returncode, json.loads(answer.stdout)) == (0, [])
