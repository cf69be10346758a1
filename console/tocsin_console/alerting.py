"""Alerts as people see them: with what keeps them still, over a time on the clock of the slots, and how many pages are open."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tocsin_alerts.matchers import matchable
from tocsin_alerts.silences import Silence, covering
from tocsin_console.parts import Parts

_NAMES = ("project", "use_case", "rule", "severity", "labels")


def with_quiet(parts: Parts, alerts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Add to each alert the silence that covers it, and why else it is not told."""
    in_force = parts.silences.in_force()
    held = {(row["incident"], row["fingerprint"]): row for row in parts.book.ask("held_alerts")}
    return [{**each, **_silenced(each, in_force, parts.now()), **_held(each, held)} for each in alerts]


def back(parts: Parts, span: timedelta) -> datetime:
    """Go back in time from now: on the data's clock, from what has been evaluated."""
    through = parts.evaluated_through() if parts.config.clock == "data" else None
    return (through or parts.now()) - span


def open_pages(parts: Parts) -> int:
    """Count the incidents that paged and go on; of the same moment it is read once."""
    return int(parts.news.kept("open pages", lambda: parts.book.ask("open_pages")[0]["pages_open"]))


def _silenced(alert: Mapping[str, Any], in_force: Sequence[Silence], at: datetime) -> dict[str, Any]:
    silence = covering(in_force, matchable(**{name: alert[name] for name in _NAMES}), at=at)
    return {"silence": silence and silence.silence, "silenced_until": silence and silence.until}


def _held(alert: Mapping[str, Any], held: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, Any]:
    """Say why an alert that fires is not told, or only as a ticket; until when, and what is wrong by then."""
    found = held.get((alert["incident"], alert["fingerprint"])) if alert["incident"] else None
    names = {"why": "held", "detail": "held_because", "until": "held_until", "wrong": "wrong_until"}
    return {shown: found[name] if found else None for name, shown in names.items()}
