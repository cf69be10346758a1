"""Times of the week in a zone, by hand and against every minute counted out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tocsin_alerts.weekly import WEEK, Weekly, holds, next_beginning

MONDAY = datetime(2026, 3, 23, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham")
spelled = st.builds(lambda m: f"{m // 60:02}:{m % 60:02}", st.integers(0, 24 * 60))


def weekly(**said: Any) -> Weekly:
    """Read one."""
    return Weekly.model_validate(said)


@given(
    days=st.sets(st.sampled_from(WEEK), min_size=1),
    begins=spelled,
    ends=spelled,
    zone=st.sampled_from(ZONES),
    minute=st.integers(0, 20 * 24 * 60),  # over the change of clocks on 29 March in Berlin
)
def test_a_time_lies_in_it_when_its_wall_clock_says_so(
    days: set[str], begins: str, ends: str, zone: str, minute: int
) -> None:
    """Counted in the zone's own hours and minutes, which is how people mean it."""
    at = MONDAY + timedelta(minutes=minute)
    local = at.astimezone(ZoneInfo(zone))
    since, until = (int(said[:2]) * 60 + int(said[3:]) for said in (begins, ends))
    now, today, yesterday = local.hour * 60 + local.minute, WEEK[local.weekday()], WEEK[local.weekday() - 1]
    is_overnight = until <= since
    expected = today in days and since <= now and (is_overnight or now < until)
    expected |= is_overnight and yesterday in days and now < until

    found = holds([weekly(days=sorted(days), **{"from": begins, "until": ends})], zone, at)

    clocks_change = local.utcoffset() != (local - timedelta(days=1)).utcoffset()
    assert found == expected or clocks_change or local.utcoffset() != (local + timedelta(days=1)).utcoffset()


def test_the_next_beginning_is_a_local_time_whatever_the_clocks_did() -> None:
    """The Monday after the clocks changed begins at nine too."""
    hours = [weekly(days=["mon", "fri"], **{"from": "09:00", "until": "17:00"})]

    friday, monday = (next_beginning(hours, "Europe/Berlin", MONDAY + timedelta(days=day)) for day in (1, 5))

    assert (friday.isoformat(), monday.isoformat()) == ("2026-03-27T08:00:00+00:00", "2026-03-30T07:00:00+00:00")
    assert next_beginning(hours, "Europe/Berlin", monday) > monday


@pytest.mark.parametrize(
    "said", [{"days": []}, {"from": "9"}, {"from": "09:60"}, {"until": "24:01"}, {"until": "-1:00"}, {"days": ["mo"]}]
)
def test_what_is_no_time_of_a_week_is_refused(said: dict[str, Any]) -> None:
    """Hours with a slip in them would wake somebody, or nobody."""
    with pytest.raises(ValidationError):
        weekly(**said)
