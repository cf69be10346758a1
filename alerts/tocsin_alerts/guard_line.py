"""The guard of one use case: its rows, and what a firing alert makes of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from tocsin_alerts.plain import one_line
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertEvent, GuardRow, GuardState

STATES: Final[tuple[GuardState, ...]] = get_args(GuardState)
_LEVEL: Final[Mapping[GuardState, int]] = {state: level for level, state in enumerate(STATES)}
_HOUR: Final = timedelta(hours=1)


@dataclass(slots=True)
class GuardLine:
    """Every row of one use case, oldest first, those of the shadow among them."""

    rows: list[GuardRow] = field(default_factory=list)
    held_by: str = ""  # the person whose state holds against the rules

    @property
    def in_force(self) -> GuardRow | None:
        """The last row that was applied; None when there never was one: normal."""
        return next((row for row in reversed(self.rows) if row.applied), None)

    @property
    def state(self) -> GuardState:
        """What is served now."""
        row = self.in_force
        return row.state if row else "normal"

    @property
    def next_version(self) -> int:
        """One more than the last."""
        return self.rows[-1].version + 1 if self.rows else 1

    def add(self, row: GuardRow) -> None:
        """Take a row in."""
        self.rows.append(row)
        if row.mode == "manual":
            self.held_by = row.actor if row.state != "normal" else ""

    def of_incident(self, incident: str) -> GuardRow | None:
        """Give the last row of an incident; what was done counts for more than what would have been."""
        rows = [row for row in self.rows if row.incident == incident]
        return next((row for row in reversed(rows) if row.applied), rows[-1] if rows else None)

    def trip(self, event: AlertEvent, target: GuardState, plan: Plan, *, trips_per_hour: int) -> GuardRow | None:
        """Make the row that a firing alert asks for; None when nothing changes by it.

        The row follows from the transition alone, so that a replay makes the same one, and sees that it is there.
        """
        if _LEVEL[target] <= _LEVEL[self.state] or any(_is_made_by(row, event, target) for row in self.rows):
            return None
        held = self._holds_back(event, trips_per_hour) if plan.guard.mode == "automatic" else "would have tripped"
        if held and self._was_noted(event.incident, target):
            return None
        cause = one_line(f"{event.rule}: {event.reason}", limit=300)
        return GuardRow(
            project=event.project,
            use_case=event.use_case,
            version=self.next_version,
            state=target,
            mode=plan.guard.mode,
            applied=not held,
            cause=f"{held}: {cause}" if held else cause,
            actor=f"rule:{event.rule}",
            incident=event.incident,
            probe_share=plan.guard.probe_share,
            hold_until=event.slot + plan.guard.hold if plan.guard.hold and not held else None,
            expires_at=None,
            since=event.slot,
        )

    def decide(
        self,
        state: GuardState,
        plan: Plan,
        *,
        actor: str,
        cause: str,
        since: datetime,
        expires_at: datetime | None = None,
    ) -> GuardRow:
        """Make the row of a person's decision."""
        hold = plan.guard.hold if state != "normal" else None
        return GuardRow(
            project=plan.project,
            use_case=plan.use_case,
            version=self.next_version,
            state=state,
            mode="manual",
            applied=True,
            cause=one_line(cause, limit=500),
            actor=one_line(actor, limit=100) or "unknown",
            incident=self.in_force.incident if self.in_force else "",
            probe_share=plan.guard.probe_share,
            hold_until=since + hold if hold else None,
            expires_at=expires_at,
            since=since,
        )

    def is_expired(self, now: datetime) -> bool:
        """Whether a person's state has lasted as long as they gave it."""
        row = self.in_force
        return row is not None and row.expires_at is not None and row.state != "normal" and now >= row.expires_at

    def may_be_measured(self, plan: Plan, now: datetime) -> GuardRow | None:
        """Give the trip that could be released by measurement now; None: a person's, one that holds, or one that the plan leaves to people."""
        row = self.in_force
        if row is None or row.state == "normal" or row.mode != "automatic" or plan.guard.release != "measured":
            return None
        return None if row.hold_until is not None and now < row.hold_until else row

    def back(self, plan: Plan, *, cause: str, since: datetime, mode: Literal["automatic", "manual"]) -> GuardRow:
        """Make the row by which it is back at normal without anybody's decision."""
        row = self.decide("normal", plan, actor="tocsin", cause=cause, since=since)
        return replace(row, mode=mode)

    def _holds_back(self, event: AlertEvent, trips_per_hour: int) -> str:
        """Say what keeps an automatic guard from tripping; empty when nothing does."""
        if self.held_by:
            return f"would have tripped, but {self.held_by} holds {self.state}"
        since = event.slot - _HOUR
        trips = sum(
            row.applied and row.mode == "automatic" and row.state != "normal" and since < row.since <= event.slot
            for row in self.rows
        )
        if trips >= trips_per_hour:
            return f"would have tripped, but {trips} trips in an hour are the most"
        return ""

    def _was_noted(self, incident: str, target: GuardState) -> bool:
        """Whether the shadow already went as far in this incident."""
        return any(
            row.incident == incident and not row.applied and _LEVEL[row.state] >= _LEVEL[target] for row in self.rows
        )


def _is_made_by(row: GuardRow, event: AlertEvent, target: GuardState) -> bool:
    return (
        row.incident == event.incident
        and row.actor == f"rule:{event.rule}"
        and row.state == target
        and row.since == event.slot
    )
