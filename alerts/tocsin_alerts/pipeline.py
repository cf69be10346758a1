"""What is to be told of an incident, to which channels, now or later: inhibit, silence, let rest, group, escalate.

It decides; delivery writes and sends. Whatever is kept still and goes on firing is told as soon as nothing keeps it any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from tocsin_alerts.channels import Channel, follows_each_alert, knows_who_has_it
from tocsin_alerts.escalating import next_step, reached
from tocsin_alerts.grouping import Grouping
from tocsin_alerts.incidents import Incident, Member
from tocsin_alerts.nights import Nights
from tocsin_alerts.outbox import notification_id
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.quieting import Quiet, Surroundings, suspended
from tocsin_alerts.remembered import Remembered
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.telling import TAKEN, Due, Told, due, hears, is_told

_LOOKS_EVERY: Final = timedelta(seconds=30)  # whether somebody has an incident, where a service wants to know


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTell:
    """One message that is due."""

    id: str  # of the notification
    channel: Channel
    due: Due
    members: Sequence[Member]  # of which it speaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be told of one incident, what is kept still, and when to look again without any news."""

    to_tell: Sequence[ToTell]
    kept: Mapping[str, Quiet]  # by alert
    again_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One incident at one time."""

    incident: Incident
    plan: Plan
    members: Sequence[Member]
    quiet: Mapping[str, Quiet]
    steps: Mapping[str, tuple[int, ...]]
    now: datetime
    later: list[datetime] = field(default_factory=list)  # when messages that wait for their group may go


class Pipeline:
    """Decides of each incident.

    Args:
        channels: Where to.
        plans: Routes, hours, escalation.
        rules: Routes of their own.
        grouping: The pauses between messages of one incident.
        nights: Whether a page may rest.
        remembered: What was said already.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        plans: Plans,
        rules: RuleBook,
        grouping: Grouping,
        nights: Nights,
        remembered: Remembered,
    ) -> None:
        self._channels = tuple(channels)
        self._plans = plans
        self._rules = rules
        self._grouping = grouping
        self._nights = nights
        self._remembered = remembered
        self._heard_at: dict[str, datetime] = {}  # when an incident was first heard of in this process

    def decide(self, incident: Incident, around: Surroundings) -> Decision:
        """Say what is to be told of an incident.

        Raises:
            Exception: the store failed; nothing was decided.
        """
        now, plan = around.at, self._plans.get(incident.project, incident.use_case)
        self._heard_at.setdefault(incident.id, now)
        quiet = around.quiet(incident) | self._suspended(incident)
        members, rests = self._at_night(incident, plan, quiet, now)
        turn = _Turn(
            incident=incident,
            plan=plan,
            members=members,
            quiet={**quiet, **{key: rest for key, rest in rests.items() if rest.why == "waiting"}},
            steps=self._steps(incident, plan, now),
            now=now,
        )
        to_tell = [made for channel in self._channels if (made := self._for(turn, channel))]
        kept = {**quiet, **rests}
        again_at = self._again_at(turn, is_kept=bool(kept), to_tell=to_tell)
        if not incident.is_open:
            self._heard_at.pop(incident.id, None)
        return Decision(to_tell=to_tell, kept=kept, again_at=again_at)

    def _suspended(self, incident: Incident) -> dict[str, Quiet]:
        in_force = self._nights.in_force(incident)
        found = {key: suspended(member, in_force, self._rules) for key, member in incident.members.items()}
        return {key: quiet for key, quiet in found.items() if quiet is not None}

    def _at_night(
        self, incident: Incident, plan: Plan, quiet: Mapping[str, Quiet], now: datetime
    ) -> tuple[list[Member], dict[str, Quiet]]:
        """Let the pages of an incident rest, or make them tickets, where they need not wake anybody that they have not yet."""
        members = list(incident.members.values())
        if self._remembered.paged(incident.id) is not None:
            return members, {}
        pages = [each for each in members if each.is_active and _is_page(each) and each.fired.fingerprint not in quiet]
        rest = self._nights.rest(incident, plan, pages, now=now)
        if rest is None:
            return members, {}
        if rest.why == "ticket":
            members = [each.demoted() if each in pages else each for each in members]
        return members, {each.fired.fingerprint: rest for each in pages}

    def _steps(self, incident: Incident, plan: Plan, now: datetime) -> Mapping[str, tuple[int, ...]]:
        """Say who hears of it since nobody took it."""
        paged = self._remembered.paged(incident.id)
        if paged is None or not incident.is_open:
            return {}
        steps = reached(plan, paged, now)
        return {} if steps and self._remembered.is_taken(incident.id) else steps

    def _for(self, turn: _Turn, channel: Channel) -> ToTell | None:
        told = self._remembered.told(turn.incident.id, channel.name)
        steps = turn.steps.get(channel.name, ())
        routed = [each for each in turn.members if hears(channel, each, turn.plan, self._rules)]
        heard = [
            each
            for each in turn.members
            if each in routed or each.fired.fingerprint in told.alerts or (steps and _is_page(each))
        ]
        what = due(channel, heard, told, turn.quiet) or self._anew(turn, channel, told, heard, is_routed=bool(routed))
        if what is None or self._comes_later(turn, channel, what, told):
            return None
        if steps and what.transition == "firing" and not routed:
            what = replace(what, again=f"escalation {steps[-1]}")
        identity = notification_id(turn.incident.id, what.transition, channel.name, what.repeat)
        if identity in self._remembered.said:
            return None
        members = heard if what.transition == "resolved" else [m for m in heard if is_told(m, told, turn.quiet)]
        return ToTell(id=identity, channel=channel, due=what, members=members)

    def _anew(
        self, turn: _Turn, channel: Channel, told: Told, heard: Sequence[Member], *, is_routed: bool
    ) -> Due | None:
        """Say whether a channel hears anew of a page that it knows, since nobody took it, or since somebody did."""
        if _waits_for_taker(channel, told) and self._remembered.is_taken(turn.incident.id):
            return Due(transition="updated", again=TAKEN)
        paged = self._remembered.paged(turn.incident.id)
        pages = [m for m in heard if m.is_active and _is_page(m) and m.fired.fingerprint not in turn.quiet]
        if paged is None or not pages or "firing" not in told.transitions or "resolved" in told.transitions:
            return None
        steps = turn.steps.get(channel.name, ())
        if further := steps if is_routed else steps[1:]:  # by the first of its steps it began to hear
            return Due(transition="updated", again=f"escalation {further[-1]}")
        count = self._grouping.repetition(paged, turn.now)
        if count and not follows_each_alert(channel) and not self._remembered.is_taken(turn.incident.id):
            return Due(transition="updated", again=f"repetition {count}")
        return None

    def _comes_later(self, turn: _Turn, channel: Channel, what: Due, told: Told) -> bool:
        """Whether a message waits for its group; a channel that is told of every alert groups by itself."""
        if what.transition == "resolved" or what.again or follows_each_alert(channel):
            return False
        until = self._grouping.holds_back(
            is_first=what.transition == "firing",
            opened=self._heard_at[turn.incident.id],
            told=told.last,
            now=turn.now,
        )
        if until is not None:
            turn.later.append(until)
        return until is not None

    def _again_at(self, turn: _Turn, *, is_kept: bool, to_tell: Sequence[ToTell]) -> datetime | None:
        if not turn.incident.is_open:
            return None
        times: list[datetime | None] = [turn.now] if is_kept else list(turn.later)
        if not self._remembered.known_as_taken(turn.incident.id):
            times += self._until_taken(turn, to_tell)
        return min((each for each in times if each is not None), default=None)

    def _until_taken(self, turn: _Turn, to_tell: Sequence[ToTell]) -> Iterator[datetime | None]:
        """Give the times at which to look again at what nobody has taken."""
        if any(knows_who_has_it(each.channel) for each in to_tell) or any(
            _waits_for_taker(channel, self._remembered.told(turn.incident.id, channel.name))
            for channel in self._channels
        ):
            yield turn.now + _LOOKS_EVERY
        paged = self._remembered.paged(turn.incident.id) or (turn.now if any(map(_pages, to_tell)) else None)
        if paged is not None:
            yield next_step(turn.plan, paged, turn.now)
            yield self._grouping.next_repetition(paged, turn.now)


def _waits_for_taker(channel: Channel, told: Told) -> bool:
    """Whether a channel knows an open incident, and wants to know who has it."""
    return knows_who_has_it(channel) and "firing" in told.transitions and "resolved" not in told.transitions


def _pages(message: ToTell) -> bool:
    return message.due.transition == "firing" and any(_is_page(each) for each in message.members)


def _is_page(member: Member) -> bool:
    return member.fired.severity == "page"
