"""Delivery: one incident is one message to each channel, whatever fires in it, and one when it is over.

What a silence covers is told to nobody while it lasts. What it kept still, and fires when it ends, is told then.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tocsin_alerts.channels import Channel, follows_each_alert
from tocsin_alerts.composing import Composer, GuardDesk, Investigator
from tocsin_alerts.courier import ChannelStats, Courier, Notifier
from tocsin_alerts.incidents import Incident, Incidents, most_severe
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.outbox import Notification, Outbox, notification_id
from tocsin_alerts.plan import Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.render import Templates
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.silences import LONGEST, Silence, Silences
from tocsin_alerts.standing import standing
from tocsin_alerts.telling import Told, due, hears, is_told


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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = Outbox(query)
        self._channels = tuple(channel for channel, _ in channels)
        self._plans = plans
        self._rules = rules
        self._composer = Composer(rules, investigator=investigator, guard=guard, templates=templates or Templates())
        self._now = now
        self._incidents = Incidents()
        self._silences = Silences(query, now=now)
        self._held: set[str] = set()  # incidents of which silences keep something still
        self._told: dict[tuple[str, str], Told] = {}
        self._paged: set[str] = set()
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
        """Tell what silences kept still and no longer do; in the thread that hands in transitions.

        Raises:
            Exception: the store failed; nothing was sent, call it again.
        """
        if self._held:
            self._composer.begin()
            held = [incident for incident in self._incidents if incident.id in self._held]
            self._tell([(incident, max(member.last.slot for member in incident.members.values())) for incident in held])

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
        silences = self._silences.in_force() if incidents else []
        for incident, slot in incidents:
            quiet = self._quiet(incident, silences, at=self._now())
            fresh = [made for channel in self._channels if (made := self._write(incident, channel, slot, quiet))]
            self._outbox.add(fresh, now=self._now())
            for notification in fresh:
                self._remember(notification)
                self._couriers[notification.channel].post(notification)
            if incident.is_open and quiet:
                self._held.add(incident.id)
            else:
                self._held.discard(incident.id)
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
            pages=len(self._paged),
            template_errors=self._composer.template_errors,
            evidence_errors=self._composer.evidence_errors,
            last_error=self._composer.last_error,
        )

    def _restore(self, query: Query, undelivered: Mapping[str, set[str]]) -> None:
        for said in self._outbox.known():
            self._told_of(said.incident, said.channel).note(said.transition, said.alerts, said.events)
            if said.transition == "firing" and said.state == "dead" and said.channel in undelivered:
                undelivered[said.channel].add(said.incident)
        self._incidents.take([AlertEvent(**row) for row in query.rows(statement("incident_events"))])
        for incident in self._incidents:
            if not incident.is_open:
                self._incidents.forget(incident)
        opened = [min(member.onset for member in incident.members.values()) for incident in self._incidents]
        silences = self._silences.since(min(*opened, self._now() - LONGEST)) if opened else []
        for incident in self._incidents:  # those that ended while nobody was there to tell it
            if any(self._quiet(incident, [each], at=each.since) for each in silences):
                self._held.add(incident.id)
        for notification in self._outbox.pending():
            if courier := self._couriers.get(notification.channel):
                courier.post(notification)

    def _quiet(self, incident: Incident, silences: Sequence[Silence], *, at: datetime) -> frozenset[str]:
        """Say which alerts of an incident are not told."""
        return frozenset(
            fingerprint
            for fingerprint, member in incident.members.items()
            if any(each.covers(incident.project, incident.use_case, member.fired.rule, at=at) for each in silences)
        )

    def _write(
        self, incident: Incident, channel: Channel, slot: datetime, quiet: frozenset[str]
    ) -> Notification | None:
        plan = self._plans.get(incident.project, incident.use_case)
        heard = [member for member in incident.members.values() if hears(channel, member, plan, self._rules)]
        told = self._told.get((incident.id, channel.name), Told())
        what = due(channel, heard, told, quiet)
        if what is None:
            return None
        members = heard if what.transition == "resolved" else [each for each in heard if is_told(each, told, quiet)]
        return Notification(
            id=notification_id(incident.id, what.transition, channel.name, what.repeat),
            incident=incident.id,
            project=incident.project,
            use_case=incident.use_case,
            transition=what.transition,
            channel=channel.name,
            severity=most_severe(members),
            slot=slot,
            message=self._composer.compose(incident, what, channel, slot=slot, members=members, plan=plan),
            created_at=self._now(),
            alerts=standing(members, self._rules) if follows_each_alert(channel) else (),
        )

    def _remember(self, said: Notification) -> None:
        events = [alert.event for alert in said.alerts]
        self._told_of(said.incident, said.channel).note(said.transition, said.message.alerts, events)
        if said.transition == "firing" and said.severity == "page":
            self._paged.add(said.incident)

    def _told_of(self, incident: str, channel: str) -> Told:
        return self._told.setdefault((incident, channel), Told())
