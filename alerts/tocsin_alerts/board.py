"""Every alert that is known, and what one slot does to them. Pure: samples in, events out.

Within a slot firing goes before resolving, so that a rule which takes over from another stays in its incident.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tocsin_alerts import absence, blindness, machine
from tocsin_alerts.groups import GroupKey, Incidents, event_id, fingerprint, group_key
from tocsin_alerts.limits import LeftOut, leave_out
from tocsin_alerts.machine import Status
from tocsin_alerts.overlays import labels_of, overlay_of
from tocsin_alerts.plan import Plans
from tocsin_alerts.provisional import Provisional
from tocsin_alerts.records import AlertEvent, AlertState, Sample, Severity
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.series import SUPERSEDED_AFTER, Batch, Move, Series, first_of, is_at_rest, standing_of


class Board:
    """The alerts by fingerprint. Work on a copy, and keep it once it is stored."""

    def __init__(
        self, series: Iterable[Series], *, book: RuleBook, plans: Plans, provisional: Provisional | None = None
    ) -> None:
        self.series = {each.fingerprint: each for each in series}
        self._book = book
        self._plans = plans
        self._provisional = provisional or Provisional()
        self._by_rule: dict[str, set[str]] = {}
        for each in self.series.values():
            self._by_rule.setdefault(each.rule, set()).add(each.fingerprint)
        self._incidents = self._gather()

    def copy(self, *, provisional: Provisional | None = None) -> "Board":
        """Give a board that can be changed without changing this one, and knows of other references if they are given."""
        given = provisional or self._provisional
        return Board(self.series.values(), book=self._book, plans=self._plans, provisional=given)

    def changed_since(self, before: "Board") -> list[Series]:
        """List what has to be stored: whatever moved, and every alert that is not at rest."""
        return [
            each
            for key, each in self.series.items()
            if (old := before.series.get(key)) is not each
            and (old is None or not is_at_rest(each) or standing_of(old) != standing_of(each))
        ]

    def take(
        self, slot: datetime, batches: Sequence[Batch], *, decided_to: Mapping[str, datetime] | None = None
    ) -> list[AlertEvent]:
        """Step every alert of some rules by one slot.

        Args:
            slot: Which.
            batches: What each rule has to take in.
            decided_to: Up to which slot a rule's transitions were applied already.
        """
        moves: list[Move] = []
        for batch in batches:
            last = (decided_to or {}).get(batch.rule.name)
            moves += self._take_rule(slot, batch, is_decided=last is not None and slot <= last)
        return self._settle(moves)

    def take_attempts(self, now: datetime, *, failed: Mapping[str, str], answered: Collection[str]) -> list[AlertEvent]:
        """Step, in each use case of a rule, the alert that says that it cannot be evaluated; the others keep their states.

        Args:
            now: The clock.
            failed: With what evaluators failed just now, by rule.
            answered: Rules whose evaluators answered just now.
        """
        moves: list[Move] = []
        for rule in self._book:
            if rule.name in failed:
                self._mark_error(rule.name)
            if rule.name in failed or rule.name in answered:
                moves += self._take_attempt(rule, failed.get(rule.name), now)
        return self._settle(moves)

    def retire(self) -> list[AlertEvent]:
        """End the alerts of rules that no longer exist, dated by the last slot that they took in."""
        events: list[AlertEvent] = []
        for each in sorted(self.series.values(), key=lambda series: (series.status.slot, series.fingerprint)):
            if self._book.get(each.rule) is None and not is_at_rest(each):
                move = self._end(each, None, each.status.slot, "the rule is no longer there")
                events += self._settle([move])
        return events

    def has_active(self, rule: str) -> bool:
        """Whether any alert of a rule fires, or fired and is not over."""
        return any(each.status.is_active for each in self._own(rule))

    def apply(self, event: AlertEvent) -> None:
        """Take over a transition that was stored before its state was."""
        old = self.series.get(event.fingerprint)
        if old is not None and old.status.slot >= event.slot:
            return
        is_active = event.to_state in ("firing", "recovering")
        made = Series(
            fingerprint=event.fingerprint,
            project=event.project,
            use_case=event.use_case,
            rule=event.rule,
            labels=event.labels,
            status=Status(state=event.to_state, since=event.slot, slot=event.slot, value=event.value),
            incident=event.incident if is_active else "",
            seen=event.slot,
            rule_hash=event.rule_hash,
            severity=event.severity,
            acknowledged_by=old.acknowledged_by if old else "",
        )
        self._put(made)
        self._incidents = self._gather()

    def _take_rule(self, slot: datetime, batch: Batch, *, is_decided: bool) -> list[Move]:
        rule, moves = batch.rule, []
        given = {
            fingerprint(sample.project, sample.use_case, rule.name, sample.labels): sample for sample in batch.samples
        }
        alive = {(sample.project, sample.use_case) for sample in batch.samples}
        known = {each.fingerprint for each in self._own(rule.name)}
        # A replay finds some ahead: what was missed of them is stored, or they were left out at this slot and not known yet.
        missable = {key for key in known if self.series[key].status.slot < slot}
        for key in known & given.keys():  # whether or not it is stepped: a replay may find it ahead
            self.series[key] = replace(self.series[key], seen=max(self.series[key].seen, slot))
        left_out = self._left_out(rule, given, known, is_decided=is_decided)
        for key in sorted((known | given.keys()) - left_out.alerts):
            old, sample = self.series.get(key), given.get(key)
            if old is None and sample is not None:
                old = first_of(key, rule, sample, slot)
            if old is None or slot <= old.status.slot:
                continue
            if not rule.applies_to(self._plans.get(old.project, old.use_case)):
                if not is_at_rest(old):
                    moves.append(self._end(old, rule, slot, "the plan no longer asks for this rule"))
                continue
            gone_for = slot - old.seen
            if sample is None and gone_for >= SUPERSEDED_AFTER and (old.project, old.use_case) in alive:
                if not is_at_rest(old):
                    reason = f"no calls under these labels for {gone_for.days} days, others took over"
                    moves.append(self._end(old, rule, slot, reason))
                continue
            if move := self._step(old, rule, sample, slot):
                note = left_out.note(rule, old.project, old.use_case) if move.after.status.state == "firing" else ""
                moves.append(replace(move, reason=move.reason + note))
        return moves + (self._miss(slot, rule, missable, alive) if rule.text.no_data else [])

    def _left_out(self, rule: Rule, given: Mapping[str, Sample], known: Iterable[str], *, is_decided: bool) -> LeftOut:
        raised = {key for key in known if not is_at_rest(self.series[key])}
        return leave_out(
            rule,
            given,
            raised,
            self._plans,
            place=lambda key: (self.series[key].project, self.series[key].use_case),
            is_decided=is_decided,
        )

    def _miss(self, slot: datetime, rule: Rule, known: Iterable[str], alive: Container[tuple[str, str]]) -> list[Move]:
        """Step, beside each alert, the one that says that there is nothing to judge."""
        moves = []
        for base in (self.series[key] for key in sorted(known)):
            where = (base.project, base.use_case)
            labels = labels_of(base.labels, "no_data")
            key = fingerprint(*where, rule.name, labels)
            is_gone = where not in alive and rule.applies_to(self._plans.get(*where))
            old = self.series.get(key) or replace(
                base,
                fingerprint=key,
                labels=labels,
                status=Status(since=slot, slot=slot - rule.text.every),
                incident="",
                severity=absence.severity_of(rule),
            )
            if slot <= old.status.slot:
                continue
            status, reason = absence.step(rule, old.status, gone_for=slot - base.seen, is_gone=is_gone, slot=slot)
            if key in self.series or status.state != "inactive":
                self._put(new := replace(old, status=status, seen=base.seen, rule_hash=rule.hash))
                if status.state != old.status.state:
                    moves.append(Move(before=old.status.state, after=new, rule=rule, sample=None, reason=reason))
        return moves

    def _take_attempt(self, rule: Rule, why: str | None, now: datetime) -> list[Move]:
        moves = []
        keys = self._by_rule.get(rule.name, set())
        stepped = {key: self.series[key] for key in keys if overlay_of(self.series[key].labels) == "error"}
        if why is not None:
            fresh = blindness.beside(rule, [self.series[key] for key in keys], now)
            stepped = {each.fingerprint: each for each in fresh} | stepped
        for key, old in sorted(stepped.items()):
            if why is None and is_at_rest(old):
                continue
            severity = blindness.severity_of(rule)
            is_asked = severity is not None and rule.applies_to(self._plans.get(old.project, old.use_case))
            status, reason = blindness.step(rule, old.status, why=why, is_asked=is_asked, now=now)
            if status == old.status or (key not in self.series and status.state == "inactive"):
                continue
            severity = old.severity if old.status.is_active or severity is None else severity
            self._put(new := replace(old, status=status, severity=severity, rule_hash=rule.hash))
            if status.state != old.status.state:
                moves.append(Move(before=old.status.state, after=new, rule=rule, sample=None, reason=reason))
        return moves

    def _mark_error(self, rule: str) -> None:
        for each in self._own(rule):
            if each.status.overlay != "error":
                self.series[each.fingerprint] = replace(each, status=replace(each.status, overlay="error"))

    def _step(self, old: Series, rule: Rule, sample: Sample | None, slot: datetime) -> Move | None:
        plan = self._plans.get(old.project, old.use_case)
        severity = self._severity(old, rule, sample, slot)
        if old.status.is_active and old.severity == "ticket" and severity == "page":
            return self._end(old, rule, slot, "it may page by now: judged anew from here")
        status = machine.step(old.status, rule.observe(sample, plan), rule.timing(plan), slot)
        seen = old.seen if sample is None else slot
        new = replace(old, status=status, seen=seen, rule_hash=rule.hash, severity=severity)
        self._put(new)
        if status.state == old.status.state:
            return None
        reason = rule.reason(sample, plan, status.state)
        return Move(before=old.status.state, after=new, rule=rule, sample=sample, reason=reason)

    def _severity(self, old: Series, rule: Rule, sample: Sample | None, slot: datetime) -> Severity:
        """Give the rule's, or "ticket" while what it leans on is provisional. A page that is open stays one."""
        if old.status.is_active and old.severity == "page":
            return rule.text.severity
        labels = old.labels if sample is None else sample.labels
        demotes = self._provisional.demotes(rule, old.project, old.use_case, labels, slot)
        return "ticket" if demotes else rule.text.severity

    def _end(self, old: Series, rule: Rule | None, slot: datetime, reason: str) -> Move:
        state: AlertState = "resolved" if old.status.is_active else "inactive"
        new = replace(old, status=replace(old.status, state=state, since=slot, slot=slot, overlay=""))
        self._put(new)
        return Move(before=old.status.state, after=new, rule=rule, sample=None, reason=reason)

    def _settle(self, moves: list[Move]) -> list[AlertEvent]:
        return [self._event(move) for move in sorted(moves, key=lambda move: move.order)]

    def _event(self, move: Move) -> AlertEvent:
        series, state, slot = move.after, move.after.status.state, move.after.status.slot
        incident = series.incident
        key = self._group(series)
        if state == "firing" and not incident:
            incident = self._incidents.join(key, series.fingerprint, slot)
            self._put(replace(series, incident=incident))
        elif not series.status.is_active and incident:
            self._incidents.leave(key, series.fingerprint)
            self._put(replace(series, incident=""))
        sample = move.sample
        return AlertEvent(
            event_id=event_id(series.fingerprint, slot, state),
            project=series.project,
            use_case=series.use_case,
            rule=series.rule,
            labels=series.labels,
            fingerprint=series.fingerprint,
            incident=incident,
            severity=series.severity,
            from_state=move.before,
            to_state=state,
            slot=slot,
            value=sample.value if sample else None,
            lower=sample.lower if sample else None,
            upper=sample.upper if sample else None,
            baseline=sample.baseline if sample else None,
            n=sample.n if sample else 0,
            reason=move.reason,
            rule_hash=move.rule.hash if move.rule else series.rule_hash,
        )

    def _gather(self) -> Incidents:
        return Incidents.of(
            (self._group(each), each.fingerprint, each.incident)
            for each in self.series.values()
            if each.status.is_active and each.incident
        )

    def _own(self, rule: str) -> list[Series]:
        """List a rule's alerts, without those that stand beside them."""
        return [each for key in self._by_rule.get(rule, ()) if not overlay_of((each := self.series[key]).labels)]

    def _put(self, series: Series) -> None:
        self.series[series.fingerprint] = series
        self._by_rule.setdefault(series.rule, set()).add(series.fingerprint)

    def _group(self, series: Series) -> GroupKey:
        rule = self._book.get(series.rule)
        group = rule.text.group if rule else "quality"
        is_demoted = rule is not None and (series.severity, rule.text.severity) == ("ticket", "page")
        is_own = rule is not None and not is_demoted and not overlay_of(series.labels)
        severity = rule.text.severity if rule and is_own else series.severity
        return group_key(series.project, series.use_case, rule=series.rule, severity=severity, group=group)
