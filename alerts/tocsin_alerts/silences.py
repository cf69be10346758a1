"""Silences: people who know already are not told, for a while. The alert, its states, the guard and retraining go on.

A silence says which alerts, who wants it, why, from when and until when; it cannot be without an end. What still fires when
it ends is told then. Maintenance windows and the mute times of plans are silences each time they come round.
"""

import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from tocsin_alerts.audit import record
from tocsin_alerts.errors import SilenceRefused
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.matchers import Matcher, all_match, narrow
from tocsin_alerts.ports import Query

_MOMENT: Final = timedelta(milliseconds=1)
LONGEST: Final = timedelta(days=30)  # a silence that everybody has forgotten is a missed page


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is not told, and until when."""

    silence: str  # its id
    project: str  # empty: every one, of windows alone
    use_case: str  # empty: every one
    rule: str  # empty: every one
    matchers: tuple[Matcher, ...] = ()  # further conditions; none: every alert
    author: str
    reason: str
    since: datetime
    until: datetime

    def covers(self, labels: Mapping[str, str], *, at: datetime) -> bool:
        """Whether an alert is not told at some time.

        Args:
            labels: What it is matched by, see :func:`~tocsin_alerts.matchers.matchable`.
            at: The time.
        """
        return (
            self.since <= at < self.until
            and self.project in ("", labels["project"])
            and self.use_case in ("", labels["use_case"])
            and self.rule in ("", labels["rule"])
            and all_match(self.matchers, labels)
        )

    @property
    def subject(self) -> str:
        """Say of which alerts it is."""
        named = [f"{name}={value}" for name, value in (("use_case", self.use_case), ("rule", self.rule)) if value]
        return ", ".join([*named, *map(str, self.matchers)])

    def to_json(self) -> dict[str, object]:
        """Write it as people are shown it."""
        return {**asdict(replace(self, matchers=())), "matchers": [str(each) for each in self.matchers]}


class Declared(Protocol):
    """Knows the silences that were declared in advance."""

    def __call__(self, *, since: datetime, until: datetime) -> Iterable[Silence]:
        """List those of which something lies in a range."""
        ...


def none_declared(*, since: datetime, until: datetime) -> Iterable[Silence]:
    """List none: nothing was declared."""
    del since, until
    return ()


class Silences:
    """The silences of a store, and those that are declared in advance.

    Args:
        query: A client of its own.
        now: The time of day.
        declared: Maintenance windows and mute times; one that a person ended is in the store under its name.
    """

    def __init__(self, query: Query, *, now: Callable[[], datetime], declared: Declared = none_declared) -> None:
        self._query = query
        self._now = now
        self._declared = declared
        self._one_at_a_time = threading.Lock()

    def since(self, after: datetime) -> list[Silence]:
        """List those that have not ended, or did after some time; the last to end first. Of windows the present and the past."""
        now = self._now()
        with self._one_at_a_time:
            kept = [_read(row) for row in self._query.rows(statement("silences"), {"after": after})]
            declared = list(self._declared(since=after, until=max(now, after) + _MOMENT))
            ended = self._ended({each.silence for each in declared}) if declared else frozenset()
        found = [*kept, *(each for each in declared if each.silence not in ended)]
        return sorted(found, key=lambda each: (each.until, each.silence), reverse=True)

    def coming(self, within: timedelta) -> list[Silence]:
        """List the windows that have not begun and will within a time, the next first."""
        now = self._now()
        with self._one_at_a_time:
            found = [each for each in self._declared(since=now, until=now + within) if each.since > now]
            ended = self._ended({each.silence for each in found}) if found else frozenset()
        kept = [each for each in found if each.silence not in ended]
        return sorted(kept, key=lambda each: (each.since, each.silence))

    def in_force(self) -> list[Silence]:
        """List those that have not ended; some may not have begun."""
        return self.since(self._now())

    def add(
        self,
        lasts: timedelta,
        *,
        project: str,
        use_case: str = "",
        rule: str = "",
        matchers: Sequence[Matcher] = (),
        since: datetime | None = None,
        by: str,
        because: str,
    ) -> Silence:
        """Silence a use case, a rule, or what matchers say, from now or a later time on.

        Raises:
            SilenceRefused: it names nothing in particular, gives no reason, is over already, or lasts too long.
        """
        if not use_case and not rule and not narrow(matchers):
            raise SilenceRefused(
                "expected a use case, a rule or a matcher of something in particular, got none: nobody may silence everything"
            )
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
        begins = now if since is None else since
        if begins + lasts <= now:
            raise SilenceRefused(
                f"expected a silence that is not over, got one until {begins + lasts:%Y-%m-%d %H:%M} UTC"
            )
        made = Silence(
            silence=uuid.uuid4().hex[:12],
            project=project,
            use_case=use_case,
            rule=rule,
            matchers=tuple(matchers),
            author=by,
            reason=because.strip()[:2_000],
            since=begins,
            until=begins + lasts,
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
        ended = replace(found[0], since=min(found[0].since, self._now()), until=self._now())
        self._write(ended, action="expire silence", by=by)
        return ended

    def _write(self, silence: Silence, *, action: str, by: str) -> None:
        now = self._now()
        times = f"{silence.since:%Y-%m-%d %H:%M} to {silence.until:%Y-%m-%d %H:%M} UTC"
        with self._one_at_a_time:
            record(
                self._query,
                key=silence.silence,
                at=now,
                actor=by,
                action=action,
                subject=f"{silence.project}/{silence.use_case}",
                detail=f"{silence.silence}: {silence.subject}, {times}: {silence.reason}",
            )
            self._query.insert("silences", [{**silence.to_json(), "at": now}])

    def _ended(self, declared: Collection[str]) -> frozenset[str]:
        """Name the declared ones that a person has ended."""
        rows = self._query.rows(statement("ended_silences"), {"silences": sorted(declared)})
        return frozenset(row["silence"] for row in rows)


def covering(silences: Iterable[Silence], labels: Mapping[str, str], *, at: datetime) -> Silence | None:
    """Find the silence that keeps an alert longest at some time."""
    return max((each for each in silences if each.covers(labels, at=at)), key=lambda each: each.until, default=None)


def _read(row: Mapping[str, Any]) -> Silence:
    return Silence(**{**row, "matchers": tuple(map(Matcher.parse, row["matchers"]))})
