"""The books balance, or say that they do not."""

from typing import Any

import pytest

from tocsin_console.ledger import ledger

STORED = {
    "spans_by_ledger": 10,
    "spans_may_have_expired": 0,
    "spans_stored": 10,
    "calls_stored": 8,
    "outcomes_by_ledger": 0,
    "outcomes_stored": 0,
    "requests_set_aside": 0,
}
RECEIVED = {
    "received_spans": 13,
    "stored_spans": 10,
    "duplicate_spans": 1,
    "refused_spans": 1,
    "dead_lettered_spans": 0,
    "damaged_spans": 0,
    "waiting_spans": 1,
    "spool_bytes": 976,
}


@pytest.mark.parametrize(
    ("stored", "received", "balances"),
    [
        ({}, {}, True),
        ({"spans_stored": 9}, {}, False),
        ({"spans_stored": 11}, {}, False),
        ({"spans_stored": 9, "spans_erased": 1}, {}, True),
        ({"spans_erased": 1}, {}, False),
        ({"spans_stored": 9, "spans_may_have_expired": 1}, {}, True),
        ({}, {"received_spans": 14}, False),
        ({}, {"received_spans": 11, "waiting_spans": -1}, False),
        ({"spans_stored": 15, "spans_begun": 5}, {}, True),
        ({"spans_stored": 16, "spans_begun": 5}, {}, False),
        ({"logs_by_ledger": 2, "logs_stored": 1}, {}, False),
        ({"outcomes_by_ledger": 2, "outcomes_stored": 1}, {}, True),
        ({}, {"received_logs": 2, "stored_logs": 1, "waiting_logs": 0}, False),
        ({}, {"received_outcomes": 2, "stored_outcomes": 1, "waiting_outcomes": 1}, True),
    ],
)
def test_a_span_that_is_nowhere_or_twice_unbalances_the_ledger(
    stored: dict[str, Any], received: dict[str, Any], *, balances: bool
) -> None:
    """Expired spans are no loss, nor is an outcome sent twice; a load under way may be in a table before it is in the ledger."""
    assert ledger({**STORED, **stored}, {**RECEIVED, **received})["balances"] is balances
