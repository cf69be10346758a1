"""Evidence within a time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.console.conftest import Running

from tocsin_alerts.course import Subject
from tocsin_alerts.evaluator import load_evaluators
from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.store.database import Database
from tocsin_console import investigation
from tocsin_console.investigation import client_for, investigator


def test_an_incident_without_data_has_no_evidence(store: Database) -> None:
    """The first page of a new use case must still be written."""
    when = datetime(2026, 3, 2, tzinfo=UTC)
    client = client_for(store)

    found = investigator(client, load_evaluators())(project="default", use_case="x", slot=when, onset=when)

    assert (found.quality, found.drifted, found.examples) == (None, (), ())
    client.close()


def test_a_query_for_evidence_ends_in_time(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page must not wait for its decoration."""
    monkeypatch.setattr(investigation, "TIME_S", 1)
    client = client_for(store)

    with pytest.raises(StoreUnavailable):
        client.rows("SELECT max(sipHash64(number)) AS x FROM numbers(100000000000)")
    client.close()


def test_reasons_that_cannot_be_looked_up_take_no_evidence_with_them(store: Database) -> None:
    """A page without its explanation is still a page with its examples."""
    when = datetime(2026, 3, 2, tzinfo=UTC)
    told = {"project": "default", "use_case": "broken", "evaluator": "accuracy", "labels": {}, "evaluator_hash": "x"}
    store.insert("evaluations", [{**told, "slot": when, "value": 0.8, "n": 100, "evaluated_at": when}])

    class Breaks(Database):
        def rows(self, sql: str, parameters: Any = None, /) -> list[dict[str, Any]]:
            if "A doubt bin is as often wrong" in sql or "What an evaluator has said of one series" in sql:
                raise StoreUnavailable("too long")
            return super().rows(sql, parameters)

    client = Breaks.open(store.address)
    drawn = Subject(fingerprint="f", evaluator="latency", evaluator_hash="x", labels={}, every=timedelta(hours=1))
    look = investigator(client, load_evaluators())
    found = look(project="default", use_case="broken", slot=when, onset=when, subject=drawn)

    assert found.quality is not None
    assert (found.explanation, found.course) == ((), ())
    client.close()


def test_why_is_asked_at_the_command_line(running: Running, tocsin: Callable[..., Any]) -> None:
    """In sentences, and as one document."""
    shown = tocsin("explain", "nobody")
    document = json.loads(tocsin("explain", "nobody", "--at", "2026-03-01", "--json").stdout)

    assert "nothing is known to have fallen" in shown.stdout
    assert document["slot"].startswith("2026-03-01")
    assert document["onset"] is None
    assert running.address
