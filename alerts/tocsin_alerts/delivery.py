"""Delivery: one incident is one message to each channel, whatever fires in it, and one when it is over.

In this order: what something else explains is inhibited, what people silenced is kept still, what need not wake anybody waits
for the morning, and what is left is told per channel, at the pace of its group. Whatever was kept and still fires is told as
soon as nothing keeps it any more.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tocsin_alerts.channels import Channel, follows_each_alert
from tocsin_alerts.composing import Composer, GuardDesk, Investigator
from tocsin_alerts.courier import ChannelStats, Courier, Notifier
from tocsin_alerts.grouping import IMMEDIATE, Grouping
from tocsin_alerts.held import Held
from tocsin_alerts.incidents import Incident, Incidents, most_severe
from tocsin_alerts.inhibitions import SHIPPED, Inhibition
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.message import Night
from tocsin_alerts.nights import Nights
from tocsin_alerts.outbox import Notification, Outbox
from tocsin_alerts.pipeline import Pipeline, ToTell
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.quieting import Surroundings, active
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.remembered import Remembered
from tocsin_alerts.render import Templates
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.silences import Declared, Silences, none_declared
from tocsin_alerts.standing import standing

_AT_ONCE: Final = 10  # incidents whose messages are kept by one insert
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """What delivery has done since the start."""

    channels: tuple[ChannelStats, ...]
    pages: int = 0  # incidents that were paged, not messages
    template_errors: int = 0  # sent as the short form instead
    evidence_errors: int = 0  # sent without evidence
    last_error: str = ""


class Delivery:
    """Tells people. Takes in transitions (see ``EventSink``), keeps messages in the outbox, and sends them by itself.

    Args:
        query: The store, not used by anybody else.
        channels: Where to, with the notifier of each.
        plans: Owners, contacts, runbooks and routes.
        rules: Summaries and evaluators.
        investigator: The evidence.
        guard: Told before delivery is, so that a message can say what it did.
        templates: The user's over the shipped.
        inhibitions: What is not told while something else fires.
        declared: Silences that were declared in advance.
        grouping: The pauses between messages of one incident.
        now: The wall clock.
        jitter: Uniform over 0 to 1, for the pauses between attempts.
    """

    def __init__(
        self,
        query: Query,
        channels: Sequence[tuple[Channel, Notifier]],
        *,
        plans: Plans,
        rules: RuleBook,
        investigator: Investigator,
        guard: GuardDesk,
        templates: Templates | None = None,
        inhibitions: Sequence[Inhibition] = SHIPPED,
        declared: Declared = none_declared,
        grouping: Grouping = IMMEDIATE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = Outbox(query)
        self._channels = tuple(channel for channel, _ in channels)
        self._plans = plans
        self._rules = rules
        self._composer = Composer(rules, investigator=investigator, guard=guard, templates=templates or Templates())
        self._inhibitions = inhibitions
        self._now = now
        self._incidents = Incidents()
        self._silences = Silences(query, now=now, declared=declared)
        self._held = Held(query)
        self._remembered = Remembered(query)
        self._nights = Nights(query, rules, findings=self._composer.findings, guard=self._composer.guard_news)
        self._pipeline = Pipeline(
            self._channels,
            plans=plans,
            rules=rules,
            grouping=grouping,
            nights=self._nights,
            remembered=self._remembered,
        )
        self._again_at: dict[str, datetime] = {}  # incidents that may have something to tell without any news, and when
        self._pages: set[str] = set()
        undelivered: dict[str, set[str]] = {channel.name: set() for channel in self._channels}
        self._couriers = {
            channel.name: Courier(
                channel.name,
                notifier,
                self._outbox,
                now=now,
                jitter=jitter,
                undelivered=undelivered[channel.name],
            )
            for channel, notifier in channels
        }
        self._restore(query, undelivered)

    def start(self) -> None:
        """Begin to send, each channel in a thread of its own."""
        for courier in self._couriers.values():
            courier.start()

    def wake(self) -> None:
        """Tell what nothing keeps any more, and what nobody took; in the thread that hands in transitions.

        Raises:
            Exception: the store failed; nothing was sent, call it again.
        """
        now = self._now()
        if waiting := [each for each in self._incidents if self._again_at.get(each.id, _NEVER) <= now]:
            self._composer.begin()
            self._tell([(each, max(member.last.slot for member in each.members.values())) for each in waiting])

    def handle(self, events: Sequence[AlertEvent], slot: datetime, *, live: bool) -> None:
        """Take in the transitions of one slot; when live, write messages. The same event again changes nothing.

        Raises:
            Exception: the store failed; nothing was sent, hand in the same events again.
        """
        touched = self._incidents.take(events)
        if not live:
            return
        self._composer.begin()
        self._tell([(incident, slot) for incident in touched])

    def _tell(self, incidents: Sequence[tuple[Incident, datetime]]) -> None:
        if not incidents:
            return
        around = Surroundings(
            at=self._now(),
            silences=self._silences.in_force(),
            inhibitions=self._inhibitions,
            active=active(self._incidents),
        )
        for begin in range(0, len(incidents), _AT_ONCE):
            self._tell_some(incidents[begin : begin + _AT_ONCE], around)

    def _tell_some(self, incidents: Sequence[tuple[Incident, datetime]], around: Surroundings) -> None:
        """Write and post the messages of some incidents by one insert, which costs more than composing them."""
        now = around.at
        decided = [(incident, slot, self._pipeline.decide(incident, around)) for incident, slot in incidents]
        fresh = [self._write(incident, each, slot, at=now) for incident, slot, made in decided for each in made.to_tell]
        self._outbox.add(fresh, now=now)
        for notification in fresh:
            self._remembered.note(notification)
            if notification.transition == "firing" and notification.severity == "page":
                self._pages.add(notification.incident)
            self._couriers[notification.channel].post(notification)
        for incident, _, made in decided:
            self._held.note(incident, made.kept, now=now)
            self._again_at.pop(incident.id, None)
            if made.again_at is not None:
                self._again_at[incident.id] = made.again_at
            if not incident.is_open:
                self._incidents.forget(incident)

    def post(self, letters: Sequence[Notification]) -> list[str]:
        """Keep and send messages that belong to no incident, from any thread; gives the ids that were not kept before.

        Raises:
            Exception: the store failed; hand in the same ones again.
        """
        fresh = [each for each in letters if not self._outbox.has(each.id)]
        self._outbox.add(fresh, now=self._now())
        for each in fresh:
            self._couriers[each.channel].post(each)
        return [each.id for each in fresh]

    def pump(self) -> int:
        """Try every message that is due, in this thread, and return how many were tried."""
        return sum(courier.pump() for courier in self._couriers.values())

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until every message has been tried at least once; False when that takes too long."""
        return all(courier.wait_idle(timeout_s) for courier in self._couriers.values())

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop sending; what waits is in the outbox and is sent after the next start."""
        for courier in self._couriers.values():
            courier.close(timeout_s)

    def stats(self) -> DeliveryStats:
        """Count what was done, by channel."""
        channels = tuple(courier.stats() for courier in self._couriers.values())
        return DeliveryStats(
            channels=channels,
            pages=len(self._pages),
            template_errors=self._composer.template_errors,
            evidence_errors=self._composer.evidence_errors,
            last_error=self._composer.last_error,
        )

    def _restore(self, query: Query, undelivered: Mapping[str, set[str]]) -> None:
        for said in self._outbox.known():
            self._remembered.restore(said)
            if said.transition == "firing" and said.state == "dead" and said.channel in undelivered:
                undelivered[said.channel].add(said.incident)
        self._incidents.take([AlertEvent(**row) for row in query.rows(statement("incident_events"))])
        for incident in self._incidents:
            # What kept it may have ended while nobody was there to tell it; and it itself, just before its end was told.
            if incident.is_open or self._remembered.awaits_end(incident.id):
                self._again_at[incident.id] = self._now()
            else:
                self._incidents.forget(incident)
        for notification in self._outbox.pending():
            if courier := self._couriers.get(notification.channel):
                courier.post(notification)

    def _night(self, incident: Incident, what: ToTell, plan: Plan, *, at: datetime) -> Night | None:
        found = self._nights.of(incident.id, now=at)
        if found is None:
            return None
        wakes = any(member.fired.severity == "page" for member in what.members)
        return Night(until=found.until, wrong=found.wrong, worth_waking=plan.wake_above, wakes=wakes)

    def _write(self, incident: Incident, what: ToTell, slot: datetime, *, at: datetime) -> Notification:
        channel, plan = what.channel, self._plans.get(incident.project, incident.use_case)
        message = self._composer.compose(
            incident,
            what.due,
            channel,
            slot=slot,
            members=what.members,
            plan=plan,
            night=self._night(incident, what, plan, at=at),
        )
        return Notification(
            id=what.id,
            incident=incident.id,
            project=incident.project,
            use_case=incident.use_case,
            transition=what.due.transition,
            channel=channel.name,
            severity=most_severe(what.members),
            slot=slot,
            message=message,
            created_at=at,
            alerts=standing(what.members, self._rules) if follows_each_alert(channel) else (),
        )
