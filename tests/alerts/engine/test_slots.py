"""Logical time."""

from datetime import UTC, datetime, timedelta

import pytest

from tocsin_alerts.slots import Schedule

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_slot_is_due_when_data_are_complete_to_its_end() -> None:
    """A watermark that lags keeps slots back, whatever the clock says."""
    daily = Schedule(every=DAY)

    assert daily.due(done_to=MIDNIGHT - DAY, now=NOON, watermark=NOON) == [MIDNIGHT]
    assert daily.due(done_to=MIDNIGHT - DAY, now=NOON, watermark=MIDNIGHT) == [MIDNIGHT]
    assert daily.due(done_to=MIDNIGHT - DAY, now=NOON, watermark=MIDNIGHT - timedelta(seconds=1)) == []
    assert daily.due(done_to=MIDNIGHT, now=NOON, watermark=NOON) == []


def test_an_offset_makes_a_slot_later_but_does_not_move_it() -> None:
    """Exporters send in batches: the last minute of an hour arrives a little after it."""
    hourly = Schedule(every=HOUR, offset=timedelta(minutes=2))

    assert hourly.newest(NOON + timedelta(seconds=119), NOON + HOUR) == NOON - HOUR
    assert hourly.newest(NOON + timedelta(minutes=2), NOON + HOUR) == NOON


def test_everything_missed_is_due_in_order_and_a_newcomer_begins_with_the_newest() -> None:
    """After downtime slots are caught up; a new rule does not judge the past, unless history is replayed."""
    hourly = Schedule(every=HOUR)

    assert hourly.due(done_to=NOON - 3 * HOUR, now=NOON, watermark=NOON) == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert hourly.due(done_to=None, now=NOON, watermark=NOON) == [NOON]
    assert hourly.due(done_to=None, first=NOON - 2 * HOUR, now=NOON, watermark=NOON) == [NOON - HOUR, NOON]


def test_an_interval_of_nothing_is_refused() -> None:
    """It would be due for ever."""
    with pytest.raises(ValueError, match="positive interval"):
        Schedule(every=timedelta(0))
