"""The plan of a use case: one YAML file a team can read aloud, and the five questions it answers.

What a plan leaves open is None, shown as unanswered, and never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from tocsin_alerts import documents
from tocsin_alerts.calendar_days import Days, overlaps
from tocsin_alerts.durations import Duration
from tocsin_alerts.errors import DocumentError, Finding
from tocsin_alerts.plan_form import render_yaml
from tocsin_alerts.plan_people import Mute, Step
from tocsin_alerts.records import GuardMode, GuardState
from tocsin_alerts.runbook import first_steps
from tocsin_alerts.web_links import WebLink
from tocsin_alerts.weekly import Weekly, Zone

__all__ = ["Plan", "Plans", "Question", "render_yaml"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Quality(_Part):
    """What right means, and how much wrong is borne for how long."""

    measure: str | None = None
    floor: float | None = None
    tolerate: Duration | None = Field(default=None, description="how long below the floor is borne before a page")

    @field_validator("floor")
    @classmethod
    def _floor_is_a_share(cls, floor: float | None, info: ValidationInfo) -> float | None:
        if floor is not None and info.data.get("measure") in (None, "accuracy") and not 0 < floor < 1:
            raise ValueError(f"expected a share between 0 and 1, got {floor:g}: write 90 % as 0.9")
        return floor


class Runbook(_Part):
    """What the person who is called does first."""

    link: str | None = None
    first_steps: list[str] = []


class RetrainingTrigger(_Part):
    """When a retraining is due."""

    metric: str | None = Field(default=None, description="an evaluator")
    threshold: float | None = None
    when: Literal["below", "above"] | None = Field(default=None, description="None: as the metric's name says")
    duration: Duration | None = Field(default=None, description="in whole days; None: one")


class Retraining(_Part):
    """When, what and by whom."""

    trigger: RetrainingTrigger = RetrainingTrigger()
    action: str | None = Field(default=None, description="a name of retraining_actions; else what a person does")
    owner: str | None = None
    cooldown: Duration | None = Field(default=None, description="after one, none for so long; None: 14d")


class Fallback(_Part):
    """What users get while the model is not trusted."""

    description: str | None = None


class Guard(_Part):
    """What tocsin may do by itself. ``shadow`` only records that it would have."""

    mode: GuardMode = "shadow"
    probe_share: float = Field(default=0.05, ge=0, le=1, description="of calls that still reach the model in fallback")
    hold: Duration | None = Field(default=None, description="a state stays at least this long")
    release: Literal["manual", "measured"] = Field(
        default="manual",
        description="measured: to normal by itself, once what tripped it is over on calls of the model since",
    )
    fail_mode: GuardState = Field(default="normal", description="at least this careful while tocsin is unreachable")


class Budget(_Part):
    """What a day may cost."""

    per_day: Decimal | None = Field(default=None, gt=0)
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")


class Rates(_Part):
    """What an hour of people's time costs, in the budget's currency."""

    review_per_hour: Decimal | None = Field(default=None, ge=0)
    support_per_hour: Decimal | None = Field(default=None, ge=0)
    incident_per_hour: Decimal | None = Field(default=None, ge=0)  # of whoever was paged


class Labels(_Part):
    """How late the truth comes."""

    delay: Duration | None = None


class Privacy(_Part):
    """How much of a call may be kept."""

    capture: Literal["none", "fields", "content"] | None = None


class Routes(_Part):
    """Channels by severity; empty means the channels of ``tocsin.yaml``."""

    page: list[str] = []
    ticket: list[str] = []
    log: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One of the five questions that a plan answers, and what is still open."""

    text: str
    missing: tuple[str, ...]  # keys of the plan that would answer it

    @property
    def is_answered(self) -> bool:
        """Whether nothing is open."""
        return not self.missing


class Plan(_Part):
    """The plan of one use case; everything but its name may be left open."""

    use_case: str = Field(min_length=1)
    project: str = Field(default="default", min_length=1)
    quality: Quality = Quality()
    owner: str | None = None
    contact: str | None = None
    runbook: Runbook = Runbook()
    dashboard: WebLink | None = Field(
        default=None, description="in messages; None: the console's page, where people reach it"
    )
    retraining: Retraining = Retraining()
    fallback: Fallback = Fallback()
    guard: Guard = Guard()
    budget: Budget = Budget()
    rates: Rates = Rates()
    segments: list[str] = []
    labels: Labels = Labels()
    calendar: list[Days] = Field(
        default=[], description="holidays and campaigns: left out of references, and drift is not judged on them"
    )
    privacy: Privacy = Privacy()
    routes: Routes = Routes()
    zone: Zone = Field(default="UTC", description="of hours and mute")
    hours: list[Weekly] = Field(default=[], description="when people work; none: a page always wakes")
    wake_above: float | None = Field(
        default=None,
        ge=0,
        description="wrong answers until people work again that are worth waking somebody; None: any",
    )
    mute: list[Mute] = []
    escalation: list[Step] = []

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
