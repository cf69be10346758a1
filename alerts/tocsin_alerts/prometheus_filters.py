"""The humanize functions of Prometheus' templates, under their names, so that annotations can be brought along.

None, and what is no finite number, prints as "unknown", where Prometheus prints NaN.

Source: Prometheus' template reference, "Numbers"; ``template/template.go``.
"""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final

_UNKNOWN: Final = "unknown"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S: Final = 2**63 / 1e9  # Prometheus counts nanoseconds
_LARGE: Final = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL: Final = ("", "m", "u", "n", "p", "f", "a", "z", "y")
_BINARY: Final = ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


def humanize(number: float | None) -> str:
    """Print a number with a metric prefix: 2034 as ``2.034k``."""
    if number is None or not isfinite(number):
        return _UNKNOWN
    if number == 0:
        return "0"
    return _scaled(number, _LARGE, 1000.0) if abs(number) >= 1 else _small(number)


def humanize1024(number: float | None) -> str:
    """Print a number with a binary prefix: 2048 as ``2ki``."""
    if number is None or not isfinite(number):
        return _UNKNOWN
    return f"{number:.4g}" if abs(number) <= 1 else _scaled(number, _BINARY, 1024.0)


def humanizeDuration(seconds: float | None) -> str:  # noqa: N802 - Prometheus' name
    """Print seconds: 93,784 as ``1d 2h 3m 4s``, 0.0031 as ``3.1ms``."""
    if seconds is None or not isfinite(seconds):
        return _UNKNOWN
    if seconds == 0:
        return "0s"
    if abs(seconds) < 1:
        return f"{_small(seconds)}s"
    sign, whole = ("-" if seconds < 0 else ""), int(abs(seconds))
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {whole % 60}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {whole % 60}s"
    return f"{sign}{minutes}m {whole % 60}s" if minutes else f"{sign}{abs(seconds):.4g}s"


def humanizePercentage(share: float | None) -> str:  # noqa: N802 - Prometheus' name
    """Print a share: 0.8834 as ``88.34%``."""
    return _UNKNOWN if share is None or not isfinite(share) else f"{100 * share:.4g}%"


def humanizeTimestamp(seconds: float | None) -> str:  # noqa: N802 - Prometheus' name
    """Print seconds since 1970: 1435065584.128 as ``2015-06-23 13:19:44.128 +0000 UTC``."""
    if seconds is None or not isfinite(seconds) or abs(seconds) >= _LATEST_S:
        return _UNKNOWN
    when = _EPOCH + timedelta(milliseconds=int(seconds * 1000))
    part = f"{when:%f}".rstrip("0")
    return f"{when:%Y-%m-%d %H:%M:%S}{'.' + part if part else ''} +0000 UTC"


def _small(number: float) -> str:
    at = 0
    while abs(number) < 1 and at < len(_SMALL) - 1:
        number, at = number * 1000, at + 1
    return f"{number:.4g}{_SMALL[at]}"


def _scaled(number: float, prefixes: tuple[str, ...], by: float) -> str:
    at = 0
    while abs(number) >= by and at < len(prefixes) - 1:
        number, at = number / by, at + 1
    return f"{number:.4g}{prefixes[at]}"


PROMETHEUS: Final = {
    f.__name__: f for f in (humanize, humanize1024, humanizeDuration, humanizePercentage, humanizeTimestamp)
}
