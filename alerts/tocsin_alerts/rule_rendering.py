"""Renders what a rule would say on its fixtures, to every kind of channel, and finds what would not fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin_alerts.briefing import Case, brief
from tocsin_alerts.errors import AlertsError
from tocsin_alerts.fixtures import Fixture, case_of
from tocsin_alerts.incidents import most_severe
from tocsin_alerts.message import Message
from tocsin_alerts.outbox import Notification, notification_id
from tocsin_alerts.render import Templates, fallback
from tocsin_alerts.rendition import KINDS, Kind, misfits
from tocsin_alerts.rule import Rule
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.standing import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """Something that one kind of channel would refuse or cut, or a template that fails."""

    rule: str
    fixture: Fixture
    kind: str  # of channel; empty: of every one
    message: str

    def __str__(self) -> str:
        return f"{self.rule}, {self.fixture}{', ' + self.kind if self.kind else ''}: {self.message}"


def render_rule(rule: Rule, fixture: Fixture, kind: Kind, *, rules: RuleBook, templates: Templates) -> Notification:
    """Write the message of a rule on a fixture to a kind of channel, as delivery does.

    Args:
        rule: Which.
        fixture: In which case.
        kind: Of channel.
        rules: Among which it stands.
        templates: The team's over the shipped.

    Raises:
        TemplateError: its template fails.
    """
    case = case_of(rule, fixture, rules)
    message = templates.compose(brief(case), chat=_is_chat(kind), template=rule.text.template)
    return _notification(case, kind, message=message, rules=rules)


def render_short(rule: Rule, fixture: Fixture, kind: Kind, *, rules: RuleBook, reason: str) -> Notification:
    """Write the short form that is sent where a template fails."""
    case = case_of(rule, fixture, rules)
    message = fallback(brief(case), reason=reason, chat=_is_chat(kind))
    return _notification(case, kind, message=message, rules=rules)


def lint_rule(rule: Rule, fixtures: Sequence[Fixture], *, rules: RuleBook, templates: Templates) -> list[Misfit]:
    """Find what channels would refuse or cut of a rule's messages, and templates that fail."""
    found: list[Misfit] = []
    for fixture in fixtures:
        case = case_of(rule, fixture, rules)
        try:
            said = {
                chat: templates.compose(brief(case), chat=chat, template=rule.text.template) for chat in (False, True)
            }
        except AlertsError as error:
            found.append(Misfit(rule=rule.name, fixture=fixture, kind="", message=str(error)))
            continue
        for kind in KINDS:
            made = _notification(case, kind, message=said[_is_chat(kind)], rules=rules)
            found += (Misfit(rule=rule.name, fixture=fixture, kind=kind, message=each) for each in misfits(kind, made))
    return found


def _is_chat(kind: Kind) -> bool:
    """Whether its readers are mentioned by what is in a text, as for channels of that kind."""
    return kind not in ("log", "smtp")


def _notification(case: Case, kind: Kind, *, message: Message, rules: RuleBook) -> Notification:
    return Notification(
        id=notification_id(case.incident.id, case.transition, kind),
        incident=case.incident.id,
        project=case.incident.project,
        use_case=case.incident.use_case,
        transition=case.transition,
        channel=kind,
        severity=most_severe(case.members),
        slot=case.slot,
        message=message,
        created_at=case.slot,
        alerts=standing(case.members, rules),
    )
