"""The guard: what each use case serves now, why, and since when.

Rules only ever escalate (normal, verify, fallback, off). A person may set any state, which then holds against the rules
until it is released, and releasing is a person's decision too: that a model looks well again while it is not serving is
no proof.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

from tocsin_alerts.briefing import GuardNews
from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import GuardRefused
from tocsin_alerts.plain import one_line
from tocsin_alerts.plan import Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, GuardRow, GuardState
from tocsin_alerts.rules import RuleBook

STATES: Final[tuple[GuardState, ...]] = get_args(GuardState)
_LEVEL: Final[Mapping[str, int]] = {state: level for level, state in enumerate(STATES)}
_PROBE_SHARE: Final = 0.05
_TRIPS_PER_HOUR: Final = 6
_ROWS: Final = "SELECT * EXCEPT (at) FROM guard_events FINAL ORDER BY project, use_case, version"


@dataclass(slots=True)
class _Line:
    """The history of one use case."""

    rows: list[GuardRow] = field(default_factory=list)
    held_by: str = ""  # the person whose state holds against the rules

    @property
    def in_force(self) -> GuardRow | None:
        return next((row for row in reversed(self.rows) if row.applied), None)

    @property
    def state(self) -> GuardState:
        row = self.in_force
        return row.state if row else "normal"

    def add(self, row: GuardRow) -> None:
        self.rows.append(row)
        if row.mode == "manual":
            self.held_by = row.actor if row.state != "normal" else ""


class GuardBook:
    """Every use case's guard. Takes in transitions (see ``EventSink``); safe to use from several threads.

    Args:
        query: The store, not used by anybody else.
        plans: Mode, probe share and hold of each use case.
        rules: Which rule asks for which state.
        clock: Logical now: what ``since`` of a person's decision says.
        wall: Wall clock, for the audit.
        changed: Called after each change, in the thread that made it.
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
        trips_per_hour: int = _TRIPS_PER_HOUR,
    ) -> None:
        self._query = query
        self._plans = plans
        self._rules = rules
        self._clock = clock or wall
        self._wall = wall
        self._changed = changed or (lambda: None)
        self._trips_per_hour = trips_per_hour
        self._lock = threading.RLock()
        self._acted_on: set[str] = set()
        self._lines: dict[tuple[str, str], _Line] = {}
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
                if event.to_state == "firing" and event.event_id not in self._acted_on:
                    row = self._trip(event)
                    if row is not None:
                        self._write(row)
                        is_changed |= row.applied
                    self._acted_on.add(event.event_id)
        if is_changed:
            self._changed()

    def set(self, use_case: str, state: str, *, actor: str, cause: str = "", project: str = "default") -> GuardRow:
        """Put a use case into a state by hand; it holds against the rules until it is released.

        Raises:
            GuardRefused: no such use case or state.
        """
        if state not in STATES:
            raise GuardRefused(f"expected a guard state, got {state!r}: {suggest(state, STATES)}")
        if state == "normal":
            return self.release(use_case, actor=actor, cause=cause, project=project)
        return self._decide(project, use_case, _state(state), action="guard set", actor=actor, cause=cause or "set by hand")

    def release(self, use_case: str, *, actor: str, cause: str = "", project: str = "default") -> GuardRow:
        """Bring a use case back to normal; alerts that are still firing do not trip again until they fire anew.

        Raises:
            GuardRefused: no such use case, or it is at normal already.
        """
        with self._lock:
            line = self._known(project, use_case)
            before = line.in_force
            if before is None or (before.state == "normal" and not line.held_by):
                raise GuardRefused(f"expected {use_case!r} to be away from normal, but it is there: nothing to release")
            cause = cause or "released by hand"
            if before.hold_until and before.hold_until > self._clock():
                cause += f" (before the end of its minimum hold, {before.hold_until:%Y-%m-%d %H:%M} UTC)"
            return self._decide(project, use_case, "normal", action="guard release", actor=actor, cause=cause)

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
            line = self._lines.get((project, use_case), _Line())
            rows = [row for row in line.rows if row.incident == incident]
            # What was done counts for more than what would have been.
            row = next((row for row in reversed(rows) if row.applied), rows[-1] if rows else None)
            return GuardNews(row=row, in_force=line.state)

    def known(self) -> set[tuple[str, str]]:
        """List the use cases that can be set: those with a plan or a history."""
        with self._lock:
            return {(plan.project, plan.use_case) for plan in self._plans} | set(self._lines)

    def meet(self, use_cases: Iterable[tuple[str, str]]) -> None:
        """Make use cases known that have calls but no plan."""
        with self._lock:
            for project, use_case in use_cases:
                self._line(project, use_case)

    def _trip(self, event: AlertEvent) -> GuardRow | None:
        """Make the row that a firing alert asks for; None when nothing changes by it."""
        rule = self._rules.get(event.rule)
        target = rule.text.guard if rule else None
        if target is None:
            return None
        line = self._line(event.project, event.use_case)
        if any(_is_of(row, event, target) for row in line.rows) or _LEVEL[target] <= _LEVEL[line.state]:
            return None
        plan = self._plans.get(event.project, event.use_case)
        cause = one_line(f"{event.rule}: {event.reason}", limit=300)
        mode: Literal["shadow", "automatic"] = plan.guard.mode
        held = self._held(line, event) if mode == "automatic" else "would have tripped"
        if held and self._was_noted(line, event, target):
            return None
        applied = not held
        hold = event.slot + plan.guard.hold if plan.guard.hold and applied else None
        return GuardRow(
            project=event.project,
            use_case=event.use_case,
            version=_next(line),
            state=_state(target),
            mode=mode,
            applied=applied,
            cause=f"{held}: {cause}" if held else cause,
            actor=f"rule:{event.rule}",
            incident=event.incident,
            probe_share=plan.guard.probe_share,
            hold_until=hold,
            expires_at=None,
            since=event.slot,
        )

    def _held(self, line: _Line, event: AlertEvent) -> str:
        """Say what keeps an automatic guard from tripping; empty when nothing does."""
        if line.held_by:
            return f"would have tripped, but {line.held_by} holds {line.state}"
        since = event.slot - timedelta(hours=1)
        trips = sum(row.applied and row.mode == "automatic" and since < row.since <= event.slot for row in line.rows)
        if trips >= self._trips_per_hour:
            return f"would have tripped, but {trips} trips in an hour are the most"
        return ""

    @staticmethod
    def _was_noted(line: _Line, event: AlertEvent, target: str) -> bool:
        """Whether the shadow already went as far in this incident."""
        return any(
            row.incident == event.incident and not row.applied and _LEVEL[row.state] >= _LEVEL[target]
            for row in line.rows
        )

    def _decide(
        self, project: str, use_case: str, state: GuardState, *, action: str, actor: str, cause: str
    ) -> GuardRow:
        with self._lock:
            line = self._known(project, use_case)
            plan, before, since = self._plans.get(project, use_case), line.state, self._clock()
            row = GuardRow(
                project=project,
                use_case=use_case,
                version=_next(line),
                state=state,
                mode="manual",
                applied=True,
                cause=one_line(cause, limit=500),
                actor=one_line(actor, limit=100) or "unknown",
                incident=line.in_force.incident if line.in_force else "",
                probe_share=plan.guard.probe_share,
                hold_until=since + plan.guard.hold if plan.guard.hold and state != "normal" else None,
                expires_at=None,
                since=since,
            )
            self._audit(row, action, before)
            self._write(row)
        self._changed()
        return row

    def _audit(self, row: GuardRow, action: str, before: GuardState) -> None:
        at = self._wall()
        subject = f"{row.project}/{row.use_case}"
        entry = {
            "id": _digest(action, subject, str(row.version)),
            "at": at,
            "actor": row.actor,
            "action": action,
            "subject": subject,
            "detail": f"{before} -> {row.state}: {row.cause}",
        }
        self._query.insert("audit_log", [entry])

    def _write(self, row: GuardRow) -> None:
        self._query.insert("guard_events", [_stored(row, at=self._wall())])
        self._line(row.project, row.use_case).add(row)

    def _line(self, project: str, use_case: str) -> _Line:
        return self._lines.setdefault((project, use_case), _Line())

    def _known(self, project: str, use_case: str) -> _Line:
        if (project, use_case) not in self.known():
            names = sorted(name for where, name in self.known() if where == project)
            raise GuardRefused(f"unknown use case {use_case!r} in project {project!r}: {suggest(use_case, names)}")
        return self._line(project, use_case)


def _is_of(row: GuardRow, event: AlertEvent, target: str) -> bool:
    """Whether a row was made by this very transition, before a restart."""
    return (
        row.incident == event.incident
        and row.actor == f"rule:{event.rule}"
        and row.state == target
        and row.since == event.slot
    )


def _state(name: str) -> GuardState:
    return STATES[_LEVEL[name]]


def _next(line: _Line) -> int:
    return line.rows[-1].version + 1 if line.rows else 1


def _stored(row: GuardRow, *, at: datetime) -> dict[str, Any]:
    return {
        "project": row.project,
        "use_case": row.use_case,
        "version": row.version,
        "state": row.state,
        "mode": row.mode,
        "applied": int(row.applied),
        "cause": row.cause,
        "actor": row.actor,
        "incident": row.incident,
        "probe_share": row.probe_share,
        "hold_until": row.hold_until,
        "expires_at": row.expires_at,
        "since": row.since,
        "at": at,
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
