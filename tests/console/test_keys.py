"""Ingest keys from the command line: made and revoked through what runs, or in the store while nothing does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.console.conftest import Running

from tocsin_collector.errors import Unauthenticated
from tocsin_collector.receive.ingest_keys import IngestKeys


def test_a_key_is_shown_once_and_holds_at_once(running: Running, tocsin: Callable[..., Any]) -> None:
    """Its first line can be piped into a secret store; what to do with it stands on stderr."""
    made = tocsin("keys", "create", "shop", "--name", "checkout", "--by", "ann")
    key = made.stdout.strip()
    listed = tocsin("keys", "ls", "shop")

    assert made.exit_code == listed.exit_code == 0
    assert key.startswith("tk_")
    assert "TOCSIN_KEY" in made.stderr
    assert ("keys changed",) in running.guard.done
    assert "checkout" in listed.stdout
    assert key.rpartition("_")[2] not in listed.stdout


def test_a_revoked_key_says_by_whom(running: Running, tocsin: Callable[..., Any]) -> None:
    """A whole key may be pasted: only its id goes any further."""
    key = json.loads(tocsin("keys", "create", "labs", "--json").stdout)["key"]

    revoked = tocsin("keys", "revoke", key, "--by", "bob", "--json")
    found = [each for each in json.loads(tocsin("keys", "ls", "--json").stdout) if each["project"] == "labs"]

    assert revoked.exit_code == 0
    assert found[0]["revoked_by"] == "bob"
    assert set(found[0]) == {
        "key_id",
        "project",
        "role",
        "name",
        "created_at",
        "created_by",
        "revoked_at",
        "revoked_by",
    }
    ring = IngestKeys(running.database, required=False)
    ring.refresh()
    with pytest.raises(Unauthenticated):
        ring.project_of(key)


def test_an_unknown_key_ends_as_a_wrong_command(running: Running, tocsin: Callable[..., Any]) -> None:
    """Exit 2, and a sentence that says where ids come from."""
    del running

    revoked = tocsin("keys", "revoke", "ffff")

    assert revoked.exit_code == 2
    assert "tocsin keys ls" in revoked.stderr


def test_a_given_address_that_does_not_answer_is_not_worked_around(tocsin: Callable[..., Any]) -> None:
    """Who names an address means that tocsin, not whatever lies in the folder."""
    made = tocsin("keys", "create", "shop", "--api", "127.0.0.1:1")

    assert made.exit_code == 3
