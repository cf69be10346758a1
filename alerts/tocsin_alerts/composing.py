"""Writes the message of one incident to one channel: evidence, what the guard did, the templates. It always comes to a message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from tocsin_alerts.briefing import Case, Findings, GuardNews, alerts_of, brief
from tocsin_alerts.channels import Channel, acts_on_mentions, shows_html
from tocsin_alerts.course import Subject, subject_of
from tocsin_alerts.errors import AlertsError
from tocsin_alerts.incidents import Incident, Member
from tocsin_alerts.message import Message, Night
from tocsin_alerts.plan import Plan
from tocsin_alerts.render import Templates, fallback
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.telling import TAKEN, Due


class Investigator(Protocol):
    """Looks up what there is to say about an incident."""

    def __call__(
        self, *, project: str, use_case: str, slot: datetime, onset: datetime, subject: Subject | None
    ) -> Findings:
        """Gather the evidence as of a slot; of one alert, where there is one, what its value was."""
        ...


class GuardDesk(Protocol):
    """Knows what the guard did."""

    def news(self, project: str, use_case: str, incident: str) -> GuardNews:
        """Say what it did about an incident, and what is in force now."""
        ...


class Composer:
    """Composes messages; what fails is counted and leaves the message poorer, never unsent.

    Args:
        rules: Summaries and evaluators.
        investigator: The evidence.
        guard: Told before delivery is, so that a message can say what it did.
        templates: The user's over the shipped.
    """

    def __init__(self, rules: RuleBook, *, investigator: Investigator, guard: GuardDesk, templates: Templates) -> None:
        self.template_errors = self.evidence_errors = 0
        self.last_error = ""
        self._rules = rules
        self._investigate = investigator
        self._guard = guard
        self._templates = templates
        self._looked_up: tuple[tuple[str, datetime], Findings] | None = None

    def begin(self) -> None:
        """Forget the evidence: a new turn asks anew."""
        self._looked_up = None

    def compose(
        self,
        incident: Incident,
        due: Due,
        channel: Channel,
        *,
        slot: datetime,
        members: Sequence[Member],
        plan: Plan,
        night: Night | None = None,
    ) -> Message:
        """Write one message.

        Args:
            incident: Of which.
            due: What the channel has still to be told.
            channel: To whom.
            slot: Of which it speaks.
            members: The alerts that are spoken of.
            plan: Of the use case.
            night: What waiting would cost; None: people work, or the plan does not say when.
        """
        case = self._case(incident, due, slot=slot, members=members, plan=plan)
        made = self._write(replace(case, night=night), channel)
        if due.again:
            made = replace(
                made,
                subject=f"{said_again(due)}: {made.subject}",
                text=f"{said_again(due)}.\n\n{made.text}",
                data={**made.data, "again": due.again},
            )
        return replace(made, alerts=alerts_of(members))

    def findings(self, incident: Incident, members: Sequence[Member]) -> Findings:
        """Look the evidence up as of the last slot of an incident."""
        return self._findings(incident, max(member.last.slot for member in members), members)

    def guard_news(self, incident: Incident) -> GuardNews:
        """Say what the guard does about an incident."""
        return self._guard.news(incident.project, incident.use_case, incident.id)

    def _case(self, incident: Incident, due: Due, *, slot: datetime, members: Sequence[Member], plan: Plan) -> Case:
        return Case(
            incident=incident,
            transition=due.transition,
            slot=slot,
            members=members,
            news=due.news,
            plan=plan,
            rules=self._rules,
            guard=self.guard_news(incident),
            findings=self._findings(incident, slot, members),
        )

    def _write(self, case: Case, channel: Channel) -> Message:
        view = brief(case)
        chat = acts_on_mentions(channel)
        rule = self._rules.get(view.lead.rule)
        try:
            template = rule.text.template if rule else None
            return self._templates.compose(view, chat=chat, template=template, html=shows_html(channel))
        except AlertsError as error:
            self.template_errors += 1
            self.last_error = str(error)
            return fallback(view, reason=str(error), chat=chat)

    def _findings(self, incident: Incident, slot: datetime, members: Sequence[Member]) -> Findings:
        """Look the evidence up once for all channels: it costs several queries."""
        if self._looked_up is None or self._looked_up[0] != (incident.id, slot):
            onset = min(member.onset for member in members)
            subject = subject_of(members, self._rules)
            self._looked_up = ((incident.id, slot), self._look_up(incident, slot, onset, subject))
        return self._looked_up[1]

    def _look_up(self, incident: Incident, slot: datetime, onset: datetime, subject: Subject | None) -> Findings:
        about = {"project": incident.project, "use_case": incident.use_case}
        try:
            return self._investigate(**about, slot=slot, onset=onset, subject=subject)
        except Exception as error:  # noqa: BLE001 - an alert without evidence is better than none
            self.evidence_errors += 1
            self.last_error = f"{type(error).__name__}: {error}"
            return Findings()


def said_again(due: Due) -> str:
    """Say why somebody hears of what is known already."""
    if due.again.startswith("escalation"):
        return "ESCALATED, nobody has acknowledged it"
    if due.again == TAKEN:
        return "TAKEN, somebody has acknowledged it"
    return "STILL OPEN, nobody has acknowledged it"
