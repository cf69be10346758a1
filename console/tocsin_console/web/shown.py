"""How what models, callers and people said is shown on a page: as text that stays in its place. Pure."""

from typing import Any, Final

from tocsin_alerts.plain import one_line

_MOST_TEXT: Final = 20_000
_MOST_LINES: Final = 2_000


def brief(value: Any, limit: int = 200) -> str:
    """Show a value in one line: a number in six digits, a text without what does not print."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    return one_line(str(value), limit=limit)


def cash(amount: float | None, currency: str = "") -> str:
    """Show money in four digits, or to the cent from 100 on: what a call costs is far below a cent."""
    if amount is None:
        return "unknown"
    figure = f"{amount:,.2f}" if abs(amount) >= 100 or not amount else f"{amount:,.4g}"
    return f"{figure} {one_line(currency, limit=8)}".rstrip()


def prose(text: str, limit: int = _MOST_TEXT) -> str:
    """Show a text with its lines, each without what does not print; how much was left out is said."""
    lines = text[:limit].splitlines()
    kept = "\n".join(_line(line) for line in lines[:_MOST_LINES])
    left = len(text) - limit if len(text) > limit else 0
    return f"{kept}\n… {left:,} characters more" if left else kept


def _line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return indent + one_line(line, limit=max(len(line), 1))
