"""Rules tried on the store as their files say them now, whatever the running engine read when it started."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tocsin_alerts.budget import strictness
from tocsin_alerts.documents import suggest
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.jobs import is_of_now
from tocsin_alerts.journal import Journal
from tocsin_alerts.plan import Plans
from tocsin_alerts.rehearsal import Backtest, backtest, dry_run
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook, load_rules
from tocsin_console import rulebook
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.sql_judge import Explaining


class Rehearsal:
    """Evaluates rules and keeps nothing of it.

    Args:
        config: Says where the team's rules and plans are.
        query: A client of its own: what it asks may take a while.
        complete_to: Data are complete to here, on the clock of the slots.
    """

    def __init__(self, config: Config, query: Explaining, *, complete_to: Callable[[], datetime]) -> None:
        self._config = config
        self._query = query
        self._complete_to = complete_to
        self._one_at_a_time = threading.Lock()

    def check(self) -> dict[str, Any]:
        """Say what is wrong with the files of rules, their SQL judged by the engine."""
        with self._one_at_a_time:
            reading = rulebook.read(self._config, with_tests=True, query=self._query)
        return {"rules": len(reading.book), "findings": [*reading.findings, *reading.warnings]}

    def now(self, names: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Say what rules would do at their newest slot.

        Raises:
            UsageProblem: a rule or a file cannot be meant.
        """
        with self._one_at_a_time:
            now, plans = self._complete_to(), self._plans()
            rules = pick(self._tightened(self._book(), plans, now), names)
            found = list(dry_run(self._query, rules, plans, now=now))
        return [
            {
                "rule": each.rule,
                "severity": each.severity,
                "says": each.says,
                "why": each.why,
                **{
                    name: getattr(each.sample, name) for name in ("project", "use_case", "labels", "slot", "value", "n")
                },
            }
            for each in found
        ]

    def past(
        self,
        name: str,
        *,
        since: datetime,
        until: datetime | None = None,
        shipped: bool = False,
        progress: Callable[[float], object] = lambda _share: None,
    ) -> dict[str, Any]:
        """Say what one rule would have done; ``shipped``: as tocsin ships it, whatever the team made of it.

        Raises:
            UsageProblem: as for :meth:`now`, or the times are none.
        """
        end = min(until, self._complete_to()) if until else self._complete_to()
        if since >= end:
            raise UsageProblem(f"expected --from before {end.isoformat(timespec='minutes')}, got {since.isoformat()}")
        with self._one_at_a_time:
            book = load_rules(evaluators=load_evaluators()) if shipped else self._book()
            plans = self._plans()
            [rule] = pick(self._tightened(book, plans, end), [name])
            if is_of_now(rule.source):
                raise UsageProblem(f"{name} looks at tocsin itself as it is now, and has no past: name another rule")
            found = backtest(self._query, rule, plans, since=since, until=end, progress=progress)
        return described(found)

    def _book(self) -> RuleBook:
        reading = rulebook.read(self._config, query=self._query)
        reading.require_sound()
        return reading.book

    def _tightened(self, book: RuleBook, plans: Plans, until: datetime) -> RuleBook:
        return book.tightened(strictness(book, plans, Journal(self._query, 0).streams(until)))

    def _plans(self) -> Plans:
        return Plans.load(self._config.use_cases_dir)


def pick(book: RuleBook, names: Sequence[str]) -> list[Rule]:
    """Find rules by name; all of them where none is named.

    Raises:
        UsageProblem: there is none of a name.
    """
    for name in names:
        if book.get(name) is None:
            raise UsageProblem(f"unknown rule {name!r}: {suggest(name, sorted(book.rules))}")
    return [rule for rule in book if not names or rule.name in names]


def described(found: Backtest) -> dict[str, Any]:
    """Write a backtest as a document."""
    series: list[Mapping[str, Any]] = [
        {**asdict(each), "fired": each.fired, "flapped": each.flapped} for each in found.series
    ]
    return {
        "rule": found.rule,
        "severity": found.severity,
        "since": found.since,
        "until": found.until,
        "every_s": found.every.total_seconds(),
        "fired": found.fired,
        "flapped": found.flapped,
        "firing_s": found.firing_s,
        "incidents": found.incidents,
        "most_incidents": found.most_incidents(),
        "series": series,
    }
