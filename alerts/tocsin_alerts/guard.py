"""The guard: what each use case serves now, why, and since when.

Rules only ever escalate (normal, verify, fallback, off). A person may set any state, which then holds against the rules
until it is released or the time that they gave it is over. Releasing is a person's decision too, unless the plan lets it be
measured: that a model looks well again while it is not serving is no proof, its probes are.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from tocsin_alerts.audit import record
from tocsin_alerts.briefing import GuardNews
from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import GuardRefused
from tocsin_alerts.guard_line import STATES, GuardLine
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.known_incidents import named
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, GuardRow, GuardState
from tocsin_alerts.rules import RuleBook

TRIPS_PER_HOUR: Final = 6
_ENOUGH_CALLS: Final = 50  # of the model since a trip, before its end counts as measured
_MEASURE_EVERY: Final = timedelta(minutes=1)
# Named one by one: the tables of the next version may have more.
_ROWS: Final = f"SELECT {', '.join(each.name for each in fields(GuardRow))} FROM guard_events FINAL ORDER BY project, use_case, version"


class GuardBook:
    """Every use case's guard. Takes in transitions (see ``EventSink``); safe to use from several threads.

    Args:
        query: The store, not used by anybody else.
        plans: Mode, probe share and hold of each use case.
        rules: Which rule asks for which state.
        clock: Logical now: what ``since`` of a person's decision says.
        wall: Wall clock, for the audit.
        changed: Called after each change of what is in force, in the thread that made it.
        look: Lists the use cases that have calls by now, project and name; asked when somebody names one that is not known.
        trips_per_hour: Of one use case, by rules; more are only recorded.
    """

    def __init__(
        self,
        query: Query,
        plans: Plans,
        rules: RuleBook,
        *,
        clock: Callable[[], datetime] | None = None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        changed: Callable[[], object] | None = None,
        look: Callable[[], Iterable[tuple[str, str]]] = tuple,
        trips_per_hour: int = TRIPS_PER_HOUR,
    ) -> None:
        self._query = query
        self._plans = plans
        self._rules = rules
        self._clock = clock or wall
        self._wall = wall
        self._changed = changed or (lambda: None)
        self._look = look
        self._trips_per_hour = trips_per_hour
        self._lock = threading.RLock()
        self._acted_on: dict[str, None] = {}  # events, in order
        self._measured: dict[tuple[str, str], datetime] = {}  # when a trip's end is measured next
        self._lines: dict[tuple[str, str], GuardLine] = {}
        for row in query.rows(_ROWS):
            kept = GuardRow(**{**row, "applied": bool(row["applied"])})
            self._line(kept.project, kept.use_case).add(kept)

    def handle(self, events: Sequence[AlertEvent], slot: datetime, *, live: bool) -> None:
        """Trip for each firing alert whose rule asks for it; when not live, nothing trips.

        Raises:
            Exception: the store failed; hand in the same events again, what is recorded is not recorded twice.
        """
        del slot  # an event's own slot dates the row, so that a replay makes the same one
        if not live:
            return
        is_changed = False
        with self._lock:
            for event in events:
                if overlay_of(event.labels):
                    continue
                if event.to_state == "firing" and event.event_id not in self._acted_on:
                    row = self._trip(event)
                    is_changed |= row is not None and row.applied
                    self._acted_on[event.event_id] = None
        if is_changed:
            self._changed()

    def tend(self) -> list[GuardRow]:
        """Bring back to normal what a person set for a time that is over, and trips whose end has been measured.

        A trip's end is measured when no alert of its incident is left, which takes evidence, and the model has answered enough
        calls since: in fallback those are the probes.

        Raises:
            Exception: the store failed; call it again.
        """
        now, made = self._clock(), []
        with self._lock:
            for (project, use_case), line in self._lines.items():
                plan = self._plans.get(project, use_case)
                if line.is_expired(now):
                    made.append(self._back(line, plan, cause="the time for which it was set is over", mode="manual"))
                elif (row := line.may_be_measured(plan, now)) and now >= self._measured.get((project, use_case), now):
                    self._measured[project, use_case] = now + _MEASURE_EVERY
                    if cause := self._measure(row):
                        made.append(self._back(line, plan, cause=cause, mode="automatic"))
        if made:
            self._changed()
        return made

    def set(
        self,
        use_case: str,
        state: str,
        actor: str,
        cause: str = "",
        *,
        project: str = "default",
        lasts: timedelta | None = None,
    ) -> GuardRow:
        """Put a use case into a state by hand; it holds against the rules until it is released, or its time is over.

        Raises:
            GuardRefused: no such use case or state; ``normal`` is refused where there is nothing to release.
        """
        target = next((known for known in STATES if known == state), None)
        if target is None:
            raise GuardRefused(f"unknown guard state {state!r}: {suggest(state, STATES)}")
        if target == "normal":
            return self.release(use_case, actor, cause, project=project)
        cause = cause or "set by hand"
        return self._decide(project, use_case, target, actor=actor, cause=cause, action="guard set", lasts=lasts)

    def release(self, use_case: str, actor: str, cause: str = "", *, project: str = "default") -> GuardRow:
        """Bring a use case back to normal; alerts that are still firing do not trip again until they fire anew.

        Raises:
            GuardRefused: no such use case, or it is at normal already.
        """
        with self._lock:
            before = self._known(project, use_case).in_force
            if before is None or before.state == "normal":
                raise GuardRefused(f"the guard of {use_case!r} is at normal already: there is nothing to release")
            cause = cause or "released by hand"
            if before.hold_until and before.hold_until > self._clock():
                cause += f" (before the end of its minimum hold, {before.hold_until:%Y-%m-%d %H:%M} UTC)"
            return self._decide(project, use_case, "normal", actor=actor, cause=cause, action="guard release")

    def rows(self) -> list[GuardRow]:
        """List the row in force of every use case that ever left normal."""
        with self._lock:
            return [row for line in self._lines.values() if (row := line.in_force)]

    def history(self, use_case: str, *, project: str = "default") -> list[GuardRow]:
        """List every row of one use case, oldest first, with those of the shadow.

        Raises:
            GuardRefused: no such use case.
        """
        with self._lock:
            return list(self._known(project, use_case).rows)

    def news(self, project: str, use_case: str, incident: str) -> GuardNews:
        """Say what was done about an incident, and what is in force now."""
        with self._lock:
            line = self._lines.get((project, use_case)) or GuardLine()
            return GuardNews(row=line.of_incident(incident), in_force=line.state)

    def known(self) -> frozenset[tuple[str, str]]:
        """List the use cases, with their project, that can be set: those with a plan, calls or a history."""
        with self._lock:
            return frozenset((plan.project, plan.use_case) for plan in self._plans) | self._lines.keys()

    def meet(self, use_cases: Iterable[tuple[str, str]]) -> None:
        """Make use cases known, by project and name, that have calls but no plan."""
        with self._lock:
            for project, use_case in use_cases:
                self._line(project, use_case)

    def _trip(self, event: AlertEvent) -> GuardRow | None:
        rule = self._rules.get(event.rule)
        if rule is None or rule.text.guard is None:
            return None
        if rule.text.severity == "page" and event.severity != "page":  # what it leans on is provisional
            return None
        plan = self._plans.get(event.project, event.use_case)
        line = self._line(event.project, event.use_case)
        row = line.trip(event, rule.text.guard, plan, trips_per_hour=self._trips_per_hour)
        if row is not None:
            self._write(line, row)
        return row

    def _decide(
        self,
        project: str,
        use_case: str,
        state: GuardState,
        *,
        actor: str,
        cause: str,
        action: str,
        lasts: timedelta | None = None,
    ) -> GuardRow:
        with self._lock:
            line = self._known(project, use_case)
            now, plan = self._clock(), self._plans.get(project, use_case)
            until = now + lasts if lasts else None
            row = line.decide(state, plan, actor=actor, cause=cause, since=now, expires_at=until)
            self._audited(line, row, action=action)
        self._changed()
        return row

    def _back(self, line: GuardLine, plan: Plan, *, cause: str, mode: Literal["automatic", "manual"]) -> GuardRow:
        row = line.back(plan, cause=cause, since=self._clock(), mode=mode)
        self._audited(line, row, action="guard release")
        return row

    def _measure(self, row: GuardRow) -> str:
        """Say why a trip may end; empty: it may not."""
        left = named(self._query, row.incident)
        if not left or any(each["is_open"] for each in left):
            return ""
        asked = {"project": row.project, "use_case": row.use_case, "since": row.since}
        answered = int(self._query.rows(statement("model_calls"), asked)[0]["answered"])
        if answered < _ENOUGH_CALLS:
            return ""
        return f"its alerts are over, and the model has answered {answered} calls since"

    def _audited(self, line: GuardLine, row: GuardRow, *, action: str) -> None:
        record(
            self._query,
            key=str(row.version),
            at=self._wall(),
            actor=row.actor,
            action=action,
            subject=f"{row.project}/{row.use_case}",
            detail=f"{line.state} -> {row.state}: {row.cause}",
        )
        self._write(line, row)

    def _write(self, line: GuardLine, row: GuardRow) -> None:
        self._query.insert("guard_events", [{**asdict(row), "applied": int(row.applied), "at": self._wall()}])
        line.add(row)

    def _line(self, project: str, use_case: str) -> GuardLine:
        return self._lines.setdefault((project, use_case), GuardLine())

    def _known(self, project: str, use_case: str) -> GuardLine:
        if (project, use_case) not in self.known():  # its first call may be seconds old
            self.meet(self._look())
        known = self.known()
        if (project, use_case) not in known:
            names = [name for where, name in known if where == project]
            raise GuardRefused(f"unknown use case {use_case!r} in project {project!r}: {suggest(use_case, names)}")
        return self._line(project, use_case)
