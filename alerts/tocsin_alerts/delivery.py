"""Delivery: one incident is one message to each channel, whatever fires in it, and one when it is over.

What a silence covers is told to nobody while it lasts. What it kept still, and fires when it ends, is told then.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from tocsin_alerts.briefing import Case, Findings, GuardNews, alerts_of, brief
from tocsin_alerts.channels import Channel, acts_on_mentions
from tocsin_alerts.courier import ChannelStats, Courier, Notifier
from tocsin_alerts.errors import AlertsError
from tocsin_alerts.incidents import Incident, Incidents, Member, most_severe
from tocsin_alerts.message import Message
from tocsin_alerts.outbox import Notification, Outbox, notification_id
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.records import AlertEvent, NotificationTransition, Severity
from tocsin_alerts.render import Templates, fallback
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.silences import LONGEST, Silence, Silences

_EVENTS = """
SELECT event_id, project, use_case, rule, labels, fingerprint, incident, severity, from_state, to_state, slot, value,
    lower, upper, baseline, n, reason, rule_hash
FROM alert_events FINAL
WHERE incident != '' OR to_state IN ('pending', 'inactive')
ORDER BY slot, at, event_id"""


class Investigator(Protocol):
    """Looks up what there is to say about an incident."""

    def __call__(self, *, project: str, use_case: str, slot: datetime, onset: datetime) -> Findings:
        """Gather the evidence as of a slot."""
        ...


class GuardDesk(Protocol):
    """Knows what the guard did."""

    def news(self, project: str, use_case: str, incident: str) -> GuardNews:
        """Say what it did about an incident, and what is in force now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStats:
    """What delivery has done since the start."""

    channels: tuple[ChannelStats, ...]
    pages: int = 0  # incidents that were paged, not messages
    template_errors: int = 0  # sent as the short form instead
    evidence_errors: int = 0  # sent without evidence
    last_error: str = ""


@dataclass(slots=True)
class _Told:
    """What a channel knows of an incident."""

    transitions: set[NotificationTransition] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)


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
        self._investigate = investigator
        self._guard = guard
        self._templates = templates or Templates()
        self._now = now
        self._incidents = Incidents()
        self._silences = Silences(query, now=now)
        self._held: set[str] = set()  # incidents of which silences keep something still
        self._told: dict[tuple[str, str], _Told] = {}
        self._stats = DeliveryStats(channels=())
        self._paged: set[str] = set()
        self._looked_up: tuple[tuple[str, datetime], Findings] | None = None
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
            self._looked_up = None
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
        self._looked_up = None
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
        return replace(self._stats, channels=channels, pages=len(self._paged))

    def _restore(self, query: Query, undelivered: Mapping[str, set[str]]) -> None:
        for said in self._outbox.known():
            self._note(said.incident, said.channel, said.transition, said.alerts)
            if said.transition == "firing" and said.state == "dead" and said.channel in undelivered:
                undelivered[said.channel].add(said.incident)
        self._incidents.take([AlertEvent(**row) for row in query.rows(_EVENTS)])
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
        heard = [member for member in incident.members.values() if _hears(channel, member, plan, self._rules)]
        told = self._told.get((incident.id, channel.name), _Told())
        due = _due(channel, heard, told, quiet)
        if due is None:
            return None
        transition, news = due
        members = heard if transition == "resolved" else [member for member in heard if _is_told(member, told, quiet)]
        case = Case(
            incident=incident,
            transition=transition,
            slot=slot,
            members=members,
            news=frozenset(news),
            plan=plan,
            rules=self._rules,
            guard=self._guard.news(incident.project, incident.use_case, incident.id),
            findings=self._findings(incident, slot, members),
        )
        repeat = ",".join(sorted(news)) if transition == "updated" else ""
        return Notification(
            id=notification_id(incident.id, transition, channel.name, repeat),
            incident=incident.id,
            project=incident.project,
            use_case=incident.use_case,
            transition=transition,
            channel=channel.name,
            severity=most_severe(members),
            slot=slot,
            message=replace(self._compose(case, channel), alerts=alerts_of(members)),
            created_at=self._now(),
        )

    def _compose(self, case: Case, channel: Channel) -> Message:
        view = brief(case)
        chat = acts_on_mentions(channel)
        rule = self._rules.get(view.lead.rule)
        try:
            return self._templates.compose(view, chat=chat, template=rule.text.template if rule else None)
        except AlertsError as error:
            errors = self._stats.template_errors + 1
            self._stats = replace(self._stats, template_errors=errors, last_error=str(error))
            return fallback(view, reason=str(error), chat=chat)

    def _findings(self, incident: Incident, slot: datetime, members: Sequence[Member]) -> Findings:
        """Look the evidence up once for all channels: it costs several queries."""
        if self._looked_up is None or self._looked_up[0] != (incident.id, slot):
            onset = min(member.onset for member in members)
            self._looked_up = ((incident.id, slot), self._look_up(incident, slot, onset))
        return self._looked_up[1]

    def _look_up(self, incident: Incident, slot: datetime, onset: datetime) -> Findings:
        try:
            return self._investigate(project=incident.project, use_case=incident.use_case, slot=slot, onset=onset)
        except Exception as error:  # noqa: BLE001 - an alert without evidence is better than none
            errors, said = self._stats.evidence_errors + 1, f"{type(error).__name__}: {error}"
            self._stats = replace(self._stats, evidence_errors=errors, last_error=said)
            return Findings()

    def _remember(self, notification: Notification) -> None:
        self._note(notification.incident, notification.channel, notification.transition, notification.message.alerts)
        if notification.transition == "firing" and notification.severity == "page":
            self._paged.add(notification.incident)

    def _note(self, incident: str, channel: str, transition: NotificationTransition, alerts: Iterable[str]) -> None:
        told = self._told.setdefault((incident, channel), _Told())
        told.transitions.add(transition)
        told.alerts.update(alerts)


def _due(
    channel: Channel, members: Sequence[Member], told: _Told, quiet: frozenset[str]
) -> tuple[NotificationTransition, set[str]] | None:
    """Say what a channel has still to be told of an incident, and which alerts are news to it.

    An incident is not over while an alert that nobody is told of fires in it: told so, a channel would never hear of that one.
    """
    spoken = [member for member in members if _is_told(member, told, quiet)]
    news = {member.fired.fingerprint for member in spoken} - told.alerts
    if "resolved" in told.transitions or not members:
        return None
    if "firing" not in told.transitions:
        return ("firing", news) if any(member.is_active for member in spoken) else None
    if not any(member.is_active for member in members):
        return "resolved", set()
    return ("updated", news) if news and channel.updates else None


def _is_told(member: Member, told: _Told, quiet: frozenset[str]) -> bool:
    """Whether an alert is spoken of: a silence takes back nothing that was said."""
    return member.fired.fingerprint not in quiet or member.fired.fingerprint in told.alerts


def _hears(channel: Channel, member: Member, plan: Plan, rules: RuleBook) -> bool:
    """Whether an alert goes to a channel: by the rule's route, else the plan's, else the channel's severities."""
    severity: Severity = member.fired.severity
    rule = rules.get(member.fired.rule)
    own = (
        rule.text.route if rule and rule.text.severity == severity else []
    )  # a page that is only a ticket goes where tickets go
    named = own or getattr(plan.routes, severity)
    return channel.name in named if named else severity in channel.severities
