"""Room from the command line."""

import json
from collections.abc import Callable
from typing import Any

from tests.console.conftest import Running


def test_the_disk_is_shown_by_table(running: Running, tocsin: Callable[..., Any]) -> None:
    """Which table it is decides what to do about it."""
    shown = tocsin("disk", "--json")
    document = json.loads(shown.stdout)

    assert shown.exit_code == 0
    assert document["warning"] == ""
    assert {"schema_migrations"} <= {each["table"] for each in document["partitions"]}
    assert "no max_disk" in tocsin("disk").stdout
    assert running.parts.disk()["used_bytes"] is not None


def test_nothing_is_dropped_while_there_is_room(running: Running, tocsin: Callable[..., Any]) -> None:
    """--drop drops what is proposed, and nothing is."""
    before = running.database.rows("SELECT count() AS n FROM otel_traces")

    dropped = tocsin("disk", "--drop", "--json")

    assert json.loads(dropped.stdout)["would_drop"] == []
    assert running.database.rows("SELECT count() AS n FROM otel_traces") == before
