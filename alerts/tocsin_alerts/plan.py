"""The plan of a use case: one YAML file a team can read aloud, and the five questions it answers.

What a plan leaves open is None, shown as unanswered, and never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from tocsin_alerts import documents
from tocsin_alerts.calendar_days import Days, overlaps
from tocsin_alerts.errors import DocumentError, Finding
from tocsin_alerts.plan_form import render_yaml
from tocsin_alerts.plan_parts import (
    Budget,
    Fallback,
    Guard,
    Labels,
    Part,
    Privacy,
    Quality,
    Rates,
    Retraining,
    Routes,
    Runbook,
)
from tocsin_alerts.plan_people import Mute, Step
from tocsin_alerts.runbook import first_steps
from tocsin_alerts.web_links import WebLink
from tocsin_alerts.weekly import Weekly, Zone

__all__ = ["Plan", "Plans", "Question", "render_yaml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One of the five questions that a plan answers, and what is still open."""

    text: str
    missing: tuple[str, ...]  # keys of the plan that would answer it

    @property
    def is_answered(self) -> bool:
        """Whether nothing is open."""
        return not self.missing


class Plan(Part):
    """The plan of one use case; everything but its name may be left open."""

    use_case: str = Field(min_length=1)
    """The use case, as its calls name it."""
    project: str = Field(default="default", min_length=1)
    """The project that it belongs to."""
    quality: Quality = Quality()
    """How you know that it is wrong."""
    owner: str | None = None
    """Team or person who answers for the use case; left out, the question is open."""
    contact: str | None = None
    """Whom to ask, as messages say it; left out, the question is open."""
    runbook: Runbook = Runbook()
    """What the person who is called does first."""
    dashboard: WebLink | None = None
    """Address that messages link; left out, the console's page of the use case, where people reach it (`public_url`)."""
    retraining: Retraining = Retraining()
    """What triggers a retraining."""
    fallback: Fallback = Fallback()
    """What users get in the meantime."""
    guard: Guard = Guard()
    """What tocsin may do by itself."""
    budget: Budget = Budget()
    """What it may cost."""
    rates: Rates = Rates()
    """What people's time costs."""
    segments: list[str] = Field(default=[])
    """Input fields by which quality and drift are kept apart too, such as `device`."""
    labels: Labels = Labels()
    """How late the truth comes."""
    calendar: list[Days] = Field(default=[])
    """Holidays and campaigns: they are left out of references, and drift is not judged on them."""
    privacy: Privacy = Privacy()
    """How much of a call may be kept."""
    routes: Routes = Routes()
    """Who is told, by severity."""
    zone: Zone = "UTC"
    """Time zone of `hours` and `mute`, such as `Europe/Berlin`."""
    hours: list[Weekly] = Field(default=[])
    """When people work; left out, a page always wakes."""
    wake_above: float | None = Field(default=None, ge=0)
    """Wrong answers until people work again that are worth waking somebody; left out, any are."""
    mute: list[Mute] = Field(default=[])
    """Times of the week at which alerts are not told."""
    escalation: list[Step] = Field(default=[])
    """Who hears of a page that nobody has acknowledged, step by step."""

    def questions(self) -> tuple[Question, ...]:
        """Ask the plan the five questions, in the order a team asks them."""
        trigger, budget = self.retraining.trigger, self.budget
        asked: Sequence[tuple[str, Mapping[str, object]]] = (
            (
                "How do we know that it is wrong?",
                {"quality.measure": self.quality.measure, "quality.floor": self.quality.floor},
            ),
            (
                "What happens then, and who does it?",
                {
                    "owner": self.owner,
                    "contact": self.contact,
                    "runbook": self.runbook.link or self.runbook.first_steps,
                },
            ),
            (
                "What triggers a retraining?",
                {
                    "retraining.trigger.metric": trigger.metric,
                    "retraining.trigger.threshold": trigger.threshold,
                    "retraining.action": self.retraining.action,
                    "retraining.owner": self.retraining.owner,
                },
            ),
            ("What do users get in the meantime?", {"fallback.description": self.fallback.description}),
            ("What may it cost?", {"budget.per_day": budget.per_day, "budget.currency": budget.currency}),
        )
        return tuple(
            Question(text=text, missing=tuple(key for key, answer in answers.items() if answer in (None, "", [])))
            for text, answers in asked
        )

    def unanswered(self) -> list[Question]:
        """List the questions that are still open."""
        return [question for question in self.questions() if not question.is_answered]

    @property
    def label_delay(self) -> timedelta:
        """How long after a call its label usually exists; zero where the plan does not say."""
        return self.labels.delay or timedelta(0)

    def with_steps_of(self, folder: Path) -> "Plan":
        """Take the first steps from the runbook where that is a file of the folder and the plan lists none."""
        if not self.runbook.link or self.runbook.first_steps:
            return self
        steps = list(first_steps(self.runbook.link, folder))
        return self.model_copy(update={"runbook": self.runbook.model_copy(update={"first_steps": steps})})

    def leaves_out(self, since: datetime, until: datetime) -> bool:
        """Whether a window has a day of the calendar in it."""
        return overlaps(self.calendar, since, until)

    def to_row(self, *, now: datetime) -> dict[str, Any]:
        """Write this plan as a row of ``plans``."""
        return {
            "project": self.project,
            "use_case": self.use_case,
            "segments": self.segments,
            "quality_floor": self.quality.floor,
            "label_delay_s": int(self.label_delay.total_seconds()),
            "currency": self.budget.currency or "",
            "budget_per_day": self.budget.per_day,
            "owner": self.owner or "",
            "guard_mode": self.guard.mode,
            "plan": self.model_dump_json(),
            "updated_at": now,
        }


@dataclass(frozen=True, slots=True)
class Plans:
    """Every plan of an installation; a use case without one has an anonymous plan that leaves everything open."""

    declared: Mapping[tuple[str, str], Plan] = field(default_factory=dict)  # by project and use case
    _anonymous: dict[tuple[str, str], Plan] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read every ``*.yaml`` of a folder; a folder that does not exist holds none.

        Raises:
            DocumentError: with every finding of every file; two files for one use case are one.
        """
        found: dict[tuple[str, str], Plan] = {}
        paths: dict[tuple[str, str], Path] = {}
        findings: list[Finding] = []
        for path in sorted([*Path(folder).glob("*.yaml"), *Path(folder).glob("*.yml")]):
            try:
                plan = documents.load(path, Plan)
            except DocumentError as error:
                findings.extend(error.findings)
                continue
            key = (plan.project, plan.use_case)
            if key in found:
                message = f"expected one plan for {plan.use_case!r}, but {paths[key]} is one too: keep one"
                findings.append(Finding(path=str(path), line=0, message=message))
            found[key], paths[key] = plan.with_steps_of(path.parent), path
        if findings:
            raise DocumentError(findings)
        return cls(found)

    @classmethod
    def of(cls, *plans: Plan) -> Self:
        """Gather plans that are already at hand."""
        return cls({(plan.project, plan.use_case): plan for plan in plans})

    def get(self, project: str, use_case: str) -> Plan:
        """Give the plan of a use case, or an anonymous one."""
        key = (project, use_case)
        found = self.declared.get(key) or self._anonymous.get(key)
        if found is None:  # kept, since it is asked for at every series of every slot
            found = self._anonymous[key] = Plan(use_case=use_case, project=project)
        return found

    def calendar(self, project: str, use_case: str) -> Sequence[tuple[date, date]]:
        """Give the days that a use case's plan leaves out."""
        return self.get(project, use_case).calendar

    def is_declared(self, project: str, use_case: str) -> bool:
        """Whether somebody wrote a plan for it."""
        return (project, use_case) in self.declared

    def to_rows(self, *, now: datetime) -> list[dict[str, Any]]:
        """Write every declared plan as rows of ``plans``."""
        return [plan.to_row(now=now) for plan in self]

    def __iter__(self) -> Iterator[Plan]:
        return iter(self.declared.values())

    def __len__(self) -> int:
        return len(self.declared)
