"""Silences: people who know already are not told, for a while. The alert, its states, the guard and retraining go on.

A silence says which use case or rule, who wants it, why, and until when; it cannot be without an end. What still fires when
it ends is told then.
"""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts.audit import record
from tocsin_alerts.errors import SilenceRefused
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.ports import Query

LONGEST: Final = timedelta(days=30)  # a silence that everybody has forgotten is a missed page


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is not told, and until when."""

    silence: str  # its id
    project: str
    use_case: str  # empty: every one of the project
    rule: str  # empty: every one
    author: str
    reason: str
    since: datetime
    until: datetime

    def covers(self, project: str, use_case: str, rule: str, *, at: datetime) -> bool:
        """Whether an alert is not told at some time."""
        return (
            self.since <= at < self.until
            and self.project == project
            and self.use_case in ("", use_case)
            and self.rule in ("", rule)
        )


class Silences:
    """The silences of a store.

    Args:
        query: A client of its own.
        now: The time of day.
    """

    def __init__(self, query: Query, *, now: Callable[[], datetime]) -> None:
        self._query = query
        self._now = now
        self._one_at_a_time = threading.Lock()

    def since(self, after: datetime) -> list[Silence]:
        """List those that have not ended, or did after some time; the last to end first."""
        with self._one_at_a_time:
            return [Silence(**row) for row in self._query.rows(statement("silences"), {"after": after})]

    def in_force(self) -> list[Silence]:
        """List those that have not ended."""
        return self.since(self._now())

    def add(
        self, lasts: timedelta, *, project: str, use_case: str = "", rule: str = "", by: str, because: str
    ) -> Silence:
        """Silence a use case, a rule, or a rule of a use case, from now on.

        Raises:
            SilenceRefused: it names neither, gives no reason, or lasts too long.
        """
        if not use_case and not rule:
            raise SilenceRefused("expected a use case, a rule or both, got neither: nobody may silence everything")
        if not because.strip():
            raise SilenceRefused(
                "expected a reason: whoever finds the silence at night has to know whether it still holds"
            )
        if not timedelta(0) < lasts <= LONGEST:
            raise SilenceRefused(
                f"expected a silence of at most {LONGEST.days} days, got {lasts.total_seconds() / 86_400:g}: "
                f"make it anew when it ends"
            )
        now = self._now()
        made = Silence(
            silence=uuid.uuid4().hex[:12],
            project=project,
            use_case=use_case,
            rule=rule,
            author=by,
            reason=because.strip()[:2_000],
            since=now,
            until=now + lasts,
        )
        self._write(made, action="silence", by=by)
        return made

    def expire(self, beginning: str, *, by: str) -> Silence:
        """End one now: what it kept still, and still fires, is told.

        Raises:
            SilenceRefused: none in force begins like this, or more than one.
        """
        found = [each for each in self.in_force() if beginning and each.silence.startswith(beginning)]
        if len(found) != 1:
            among = ", ".join(each.silence for each in found) or "none"
            raise SilenceRefused(
                f"expected one silence that is in force, got {beginning!r}, which is {among}: see 'tocsin alerts silences'"
            )
        ended = replace(found[0], until=self._now())
        self._write(ended, action="expire silence", by=by)
        return ended

    def _write(self, silence: Silence, *, action: str, by: str) -> None:
        now = self._now()
        what = silence.rule or "every rule"
        with self._one_at_a_time:
            record(
                self._query,
                key=silence.silence,
                at=now,
                actor=by,
                action=action,
                subject=f"{silence.project}/{silence.use_case}",
                detail=f"{silence.silence}: {what} until {silence.until:%Y-%m-%d %H:%M} UTC: {silence.reason}",
            )
            self._query.insert("silences", [{**asdict(silence), "at": now}])


def covering(silences: Sequence[Silence], alert: Mapping[str, str], *, at: datetime) -> Silence | None:
    """Find the silence that keeps an alert (project, use_case, rule) longest at some time."""
    found = [s for s in silences if s.covers(alert["project"], alert["use_case"], alert["rule"], at=at)]
    return max(found, key=lambda each: each.until, default=None)
