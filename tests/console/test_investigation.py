"""Evidence within a time."""

import pytest

from tocsin_alerts.evaluator import load_evaluators
from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.store.database import Database
from tocsin_console import investigation
from tocsin_console.investigation import client_for, investigator


def test_an_incident_without_data_has_no_evidence(store: Database) -> None:
    """The first page of a new use case must still be written."""
    from datetime import UTC, datetime

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
