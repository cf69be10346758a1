"""One rule tried: its stories, the messages it would send, and what it would have done over history, within a time."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tocsin_alerts.errors import AlertsError
from tocsin_alerts.fixtures import Fixture
from tocsin_alerts.render import Templates
from tocsin_alerts.rule import Rule
from tocsin_alerts.rule_rendering import lint_rule, render_rule
from tocsin_alerts.rule_tests import run_stories
from tocsin_alerts.rules import RuleBook
from tocsin_console.api.answering import time_of
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.rehearsing import Rehearsal
from tocsin_console.wire import plain

LONGEST: Final = timedelta(seconds=20)
_KEPT: Final = timedelta(minutes=1)  # the page and its chart ask for the same
_MOST_KEPT: Final = 16
_MOST_SERIES: Final = 30  # of a figure
_LABEL: Final = 48  # characters
_SHOWN: Final[tuple[Fixture, ...]] = ("firing", "night", "resolved")


class Trials:
    """Backtests that people ask for: each once, also where its chart is asked for too.

    Args:
        rehearsal: Runs them.
        now: The time of day.
    """

    def __init__(self, rehearsal: Rehearsal, *, now: Callable[[], datetime]) -> None:
        self._rehearsal = rehearsal
        self._now = now
        self._one_at_a_time = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[datetime, dict[str, Any]]] = {}

    def backtest(self, name: str, since: str, until: str) -> dict[str, Any]:
        """Say what a rule would have done from a time to another, or to now.

        Raises:
            UsageProblem: the times are none, or it takes too long.
        """
        begin, end = time_of(since), time_of(until) if until else None
        with self._one_at_a_time:
            began = self._now()
            kept = self._kept.get((name, since, until))
            if kept and began - kept[0] < _KEPT:
                return kept[1]

            def hurry(share: float) -> None:
                if share < 1 and self._now() - began > LONGEST:
                    raise UsageProblem(
                        f"{share:.0%} of it took {LONGEST.total_seconds():.0f} s: choose a shorter time, "
                        f"or run 'tocsin rules backtest {name} --from {since}'"
                    )

            found = self._rehearsal.past(name, since=begin, until=end, progress=hurry)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[name, since, until] = began, found
            return found

    def figure(self, name: str, since: str, until: str) -> Mapping[str, Any] | None:
        """Draw the times at which each series would have been firing; None: none would have been."""
        found = self.backtest(name, since, until)
        fired = sorted((each for each in found["series"] if each["fired"]), key=lambda each: -each["fired"])
        rows = [
            {"name": _series(each), "since": plain(begun), "until": plain(ended or found["until"])}
            for each in fired[:_MOST_SERIES]
            for begun, ended in each["spans"]
        ]
        if not rows:
            return None
        span = [plain(found["since"]), plain(found["until"])]
        return {
            "type": "spans",
            "title": name,
            "format": "",
            "rows": rows,
            "domain": span,
            "height": 24 * len({row["name"] for row in rows}) + 24,
        }


def stories(rule: Rule, folder: Path) -> list[dict[str, Any]]:
    """Run a rule's own stories, and those in test files that are of it."""
    results, _ = run_stories(RuleBook({rule.name: rule}), folder)
    return [
        {"test": each.test, "passes": each.passes, "diff": each.diff()} for each in results if each.rule == rule.name
    ]


def would_say(rule: Rule, rules: RuleBook, config: Config) -> dict[str, Any]:
    """Write what a rule would say about a use case that does not exist, and what of it would not fit a channel."""
    folder = config.templates_dir
    templates = Templates(folder if folder.is_dir() else None, public_url=config.public_url, apart=True)
    try:
        said = [_message(rule, fixture, rules, templates) for fixture in _SHOWN]
        return {
            "messages": said,
            "findings": [str(each) for each in lint_rule(rule, _SHOWN, rules=rules, templates=templates)],
        }
    finally:
        templates.close()


def _message(rule: Rule, fixture: Fixture, rules: RuleBook, templates: Templates) -> dict[str, str]:
    try:
        message = render_rule(rule, fixture, "smtp", rules=rules, templates=templates).message
    except AlertsError as error:
        return {"fixture": fixture, "subject": "", "text": str(error)}
    return {"fixture": fixture, "subject": message.subject, "text": message.text}


def _series(each: Mapping[str, Any]) -> str:
    """Name a series as a figure can: without the labels that are empty."""
    labels = " ".join(f"{name}={value}" for name, value in each["labels"].items() if value)
    whole = f"{each['use_case']} {labels}".strip()
    return whole if len(whole) <= _LABEL else f"{whole[: _LABEL - 1]}…"
