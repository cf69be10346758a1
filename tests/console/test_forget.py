"""Forgetting from the command line: it says how much was found and left, and exits 0 only when nothing is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.console.conftest import NOW, Running

from tocsin_wire import pack_handle
from tocsin_wire.v1.outcomes_pb2 import CallRef


def _call(running: Running, call_id: str, user: str) -> None:
    row = {"project": "default", "use_case": "triage", "call_id": call_id, "user_id": user, "started_at": NOW}
    running.database.insert("ai_calls", [{**row, "received_at": NOW, "ingested_at": NOW, "segment": "forget-cli"}])


def test_a_user_is_forgotten_and_the_count_shown(running: Running, tocsin: Callable[..., Any]) -> None:
    """What a person files as the proof."""
    _call(running, "f-1", "ada")
    _call(running, "f-2", "bob")

    dry = json.loads(tocsin("forget", "--user", "ada", "--dry-run", "--json").stdout)
    done = tocsin("forget", "--user", "ada", "--by", "dpo")
    left = running.database.rows("SELECT call_id FROM ai_calls WHERE segment = 'forget-cli'")

    assert {"place": "ai_calls", "before": 1, "after": 1} in dry["places"]
    assert done.exit_code == 0
    assert "nothing is left" in done.stdout
    assert [row["call_id"] for row in left] == ["f-2"]


def test_a_call_is_named_by_its_handle(running: Running, tocsin: Callable[..., Any]) -> None:
    """The string that the service has."""
    _call(running, "f-3", "")
    handle = pack_handle(CallRef(use_case="triage", call_id="f-3", started_unix_nano=1))

    done = tocsin("forget", "--call", handle, "--json")

    assert done.exit_code == 0
    assert {"place": "ai_calls", "before": 1, "after": 0} in json.loads(done.stdout)["places"]


@pytest.mark.parametrize("words", [(), ("--user", "a", "--call-id", "b"), ("--user", ""), ("--call", "t1.x")])
def test_nobody_in_particular_is_refused(running: Running, tocsin: Callable[..., Any], words: tuple[str, ...]) -> None:
    """An empty variable in a script must not erase everybody without a user id."""
    del running

    assert tocsin("forget", *words).exit_code == 2
