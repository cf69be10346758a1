"""What a channel has still to be told of an incident. Pure."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tocsin_alerts.channels import Channel, follows_each_alert
from tocsin_alerts.incidents import Member
from tocsin_alerts.itself import failing_channel
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import NotificationTransition, Severity
from tocsin_alerts.rules import RuleBook

TAKEN: Final = "taken"  # why a channel hears again: somebody has the incident


@dataclass(slots=True)
class Told:
    """What a channel knows of an incident."""

    transitions: set[NotificationTransition] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)  # fingerprints
    events: set[str] = field(default_factory=set)  # where it is told of every one
    last: datetime | None = None  # when it was told anything

    def note(
        self, transition: NotificationTransition, alerts: Iterable[str], events: Iterable[str], *, at: datetime
    ) -> None:
        """Take in what it has been told."""
        self.last = at if self.last is None else max(self.last, at)
        self.transitions.add(transition)
        self.alerts.update(alerts)
        self.events.update(events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What it has still to be told."""

    transition: NotificationTransition
    news: frozenset[str] = frozenset()  # alerts that it has not heard of
    changes: frozenset[str] = frozenset()  # transitions, where it is told of every one
    again: str = ""  # why it is told anew of what it knows: "escalation 1", "repetition 2", "taken"

    @property
    def repeat(self) -> str:
        """Tell updates of one incident apart, the same at every replay."""
        return self.again or ",".join(sorted(self.news | self.changes)) if self.transition == "updated" else ""


def due(channel: Channel, members: Sequence[Member], told: Told, quiet: Container[str]) -> Due | None:
    """Say what a channel has still to be told of an incident; None: nothing.

    An incident is not over while an alert that nobody is told of fires in it: told so, a channel would never hear of that one.

    Args:
        channel: Which.
        members: The alerts of the incident that it hears of.
        told: What it knows already.
        quiet: Alerts that are not told of at present.
    """
    spoken = [member for member in members if is_told(member, told, quiet)]
    news = frozenset(member.fired.fingerprint for member in spoken) - told.alerts
    if "resolved" in told.transitions or not members:
        return None
    if "firing" not in told.transitions:
        return Due(transition="firing", news=news) if any(member.is_active for member in spoken) else None
    if not any(member.is_active for member in members):
        return Due(transition="resolved")
    changes = frozenset[str]()
    if follows_each_alert(channel):
        changes = frozenset(member.last.event_id for member in spoken) - told.events
    if channel.updates and (news or changes):
        return Due(transition="updated", news=news, changes=changes)
    return None


def is_told(member: Member, told: Told, quiet: Container[str]) -> bool:
    """Whether an alert is spoken of: a silence takes back nothing that was said."""
    return member.fired.fingerprint not in quiet or member.fired.fingerprint in told.alerts


def hears(channel: Channel, member: Member, plan: Plan, rules: RuleBook) -> bool:
    """Whether an alert goes to a channel: by the rule's route, else the plan's, else the channel's severities.

    That a channel takes no messages is told on every other one, whatever it is for.
    """
    if failing := failing_channel(member.fired):
        return channel.name != failing
    severity: Severity = member.fired.severity
    rule = rules.get(member.fired.rule)
    own = (
        rule.text.route if rule and rule.text.severity == severity else []
    )  # a page that is only a ticket goes where tickets go
    named = own or getattr(plan.routes, severity)
    return channel.name in named if named else severity in channel.severities
