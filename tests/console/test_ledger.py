"""The books balance, or say that they do not."""

from typing import Any

import pytest

from tocsin_console.snapshot import ledger

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
    ],
)
def test_a_span_that_is_nowhere_or_twice_unbalances_the_ledger(
    stored: dict[str, Any], received: dict[str, Any], *, balances: bool
) -> None:
    """Expired spans are no loss; a negative number of waiting ones is one that nobody counted in."""
    assert ledger({**STORED, **stored}, {**RECEIVED, **received})["balances"] is balances
