"""Nanoseconds since 1970, and the datetimes that the driver takes."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(nanoseconds: int) -> datetime:
    """Turn nanoseconds since 1970 into an aware datetime, to the microsecond below."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def nanoseconds(when: datetime) -> int:
    """Turn an aware datetime into nanoseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1) * 1000
