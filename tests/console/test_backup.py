"""The verbs about losing the store, where no cluster is needed."""

import json
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.usefixtures("running")
def test_backup_is_taken_by_the_process_that_has_the_store_open(tocsin: Callable[..., Any]) -> None:
    """One process may open the embedded engine's folder; the command asks that one."""
    done = tocsin("backup", "--to", "file:/var/backups/monday", "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"to": "file:/var/backups/monday", "base": "", "hold": True}


def test_a_cluster_is_asked_for_where_there_is_none(tocsin: Callable[..., Any]) -> None:
    """The sentence says what is missing, not what went wrong inside."""
    done = tocsin("cluster", "status", "--json")

    assert done.exit_code == 2
    assert "store.cluster" in json.loads(done.stdout)["error"]
