"""Figures read as people say them, and what is unknown never looks measured."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tocsin_alerts import filters
from tocsin_alerts.message import Measure


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (filters.pct(0.8834), "88.3 %"),
        (filters.pct(0.97, 0), "97 %"),
        (filters.money(1234.5, "EUR"), "1,234.50 EUR"),
        (filters.usd(-1234.5), "-$1,234.50"),
        (filters.delta(0.883, 0.941), "-5.8 points"),
        (filters.delta(12.0, 10.0, "calls/h"), "+2.00 calls/h"),
        (filters.duration(93_784), "1 day 2 h"),
        (filters.duration(timedelta(days=3)), "3 days"),
        (filters.duration(0.2), "0 s"),
        (filters.duration(-90), "-1 min 30 s"),
        (filters.quantity(2034), "2,034"),
        (filters.quantity(1_234_567), "1.23 million"),
        (filters.quantity(0.0312), "0.031"),
        (filters.quantity(3.14159), "3.14"),
        (filters.amount(0.5, "share"), "50.0 %"),
        (filters.amount(7200, "s"), "2 h"),
        (filters.amount(21.5, "USD"), "21.50 USD"),
        (filters.amount(0.41, "PSI"), "0.41 PSI"),
        (filters.interval(Measure(value=0.9, lower=0.868, upper=0.896)), "86.8\u201389.6 %"),
        (filters.interval(Measure(value=3, lower=2, upper=4), "calls/h"), "2 calls/h to 4 calls/h"),
        (filters.day(datetime(2026, 4, 14, 1, tzinfo=timezone(timedelta(hours=2)))), "Mon 13 Apr 2026"),
        (filters.day(datetime(2026, 4, 14, tzinfo=UTC), time=True), "Tue 14 Apr 2026 00:00 UTC"),
        (filters.spark([0, None, 1]), "▁·█"),
        (filters.spark([2, 2]), "██"),
        (filters.spark([None]), ""),
        (filters.clip("abcdef", 4), "abc…"),
        (filters.pad("ab", 4), "ab  "),
        (filters.href("javascript:alert(1)"), ""),
        (filters.href("https://example.com"), "https://example.com"),
    ],
)
def test_filters_say(shown: str, expected: str) -> None:
    """The words of a page are read at night."""
    assert shown == expected


@pytest.mark.parametrize(
    "shown",
    [
        filters.pct(None),
        filters.money(None),
        filters.usd(None),
        filters.delta(None, 1.0),
        filters.duration(None),
        filters.quantity(None),
        filters.fixed(None),
        filters.amount(None, "share"),
        filters.interval(Measure(value=None)),
        filters.day(None),
        filters.pct(float("nan")),
        filters.quantity(float("inf")),
    ],
)
def test_what_is_not_known_says_so(shown: str) -> None:
    """None is unknown; zero is a measurement."""
    assert shown == "unknown"


def test_rows_wrap_under_themselves() -> None:
    """A long reason stays beside its label."""
    lines = filters.row("word " * 40, "Why").splitlines()

    assert lines[0].startswith("Why          word")
    assert all(line.startswith(" " * 13 + "word") for line in lines[1:])
    assert max(map(len, lines)) <= 76


def test_widths_are_bounded() -> None:
    """A template cannot ask for a line of a gigabyte."""
    assert len(filters.pad("x", 10**9)) == 200
    assert len(filters.fill("x", 10**9, 10**9, 10**9)) <= 200
    assert len(filters.row("x", "y" * 100, 10**9, 10**9)) <= 300


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [  # as promtool 2.42 prints them
        ("humanize", 0.0, "0"),
        ("humanize", 2034, "2.034k"),
        ("humanize", 999.96, "1000"),
        ("humanize", -1234567.0, "-1.235M"),
        ("humanize", 0.0031, "3.1m"),
        ("humanize", 1e27, "1000Y"),
        ("humanize1024", 1024, "1ki"),
        ("humanize1024", 1048576, "1Mi"),
        ("humanize1024", 0.5, "0.5"),
        ("humanizeDuration", 0.0, "0s"),
        ("humanizeDuration", 59.999, "60s"),
        ("humanizeDuration", 93784, "1d 2h 3m 4s"),
        ("humanizeDuration", -3661.5, "-1h 1m 1s"),
        ("humanizeDuration", 0.0031, "3.1ms"),
        ("humanizePercentage", 0.8834, "88.34%"),
        ("humanizeTimestamp", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ("humanizeTimestamp", -0.0015, "1969-12-31 23:59:59.999 +0000 UTC"),
        ("humanizeTimestamp", 1e11, "unknown"),
        ("humanize", None, "unknown"),
        ("humanizeDuration", float("nan"), "unknown"),
    ],
)
def test_prometheus_filters_print_what_prometheus_prints(name: str, value: float | None, shown: str) -> None:
    """Annotations come along unchanged, and read as before."""
    assert filters.FILTERS[name](value) == shown  # type: ignore[operator]
