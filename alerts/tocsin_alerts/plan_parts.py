"""The parts of a plan. What stands below a key is what docs/reference/plan.md and editors say of it."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from tocsin_alerts.durations import Duration
from tocsin_alerts.records import GuardMode, GuardState


class Part(BaseModel):
    """A mapping of a plan; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Quality(Part):
    """What right means, and how much wrong is borne for how long."""

    measure: str | None = None
    """What right means, such as `accuracy`, in which case the floor is a share."""
    floor: float | None = None
    """Below it, with its whole interval, somebody is called: 90 % is `0.9`; left out, the question is open."""
    tolerate: Duration | None = None
    """How long below the floor is borne before a page; left out, not at all."""

    @field_validator("floor")
    @classmethod
    def _floor_is_a_share(cls, floor: float | None, info: ValidationInfo) -> float | None:
        if floor is not None and info.data.get("measure") in (None, "accuracy") and not 0 < floor < 1:
            raise ValueError(f"expected a share between 0 and 1, got {floor:g}: write 90 % as 0.9")
        return floor


class Runbook(Part):
    """What the person who is called does first."""

    link: str | None = None
    """Address of the runbook, or a Markdown file beside the plan, whose first steps are taken then."""
    first_steps: list[str] = []
    """What messages tell to do first; left out, the first three of the runbook's file, else those of the shipped rule's own."""


class RetrainingTrigger(Part):
    """When a retraining is due."""

    metric: str | None = None
    """An evaluator, such as `accuracy`; left out, the question is open and nothing triggers."""
    threshold: float | None = None
    """Value that the metric has to be on the wrong side of, at the last slot with its whole interval."""
    when: Literal["below", "above"] | None = None
    """Which side is wrong; left out, as the metric's name says: `below` for accuracies, `above` for errors and drift."""
    duration: Duration | None = None
    """For how many daily slots in a row, in whole days; left out, one."""


class Retraining(Part):
    """When, what and by whom."""

    trigger: RetrainingTrigger = RetrainingTrigger()
    """When it is due."""
    action: str | None = None
    """A name of `retraining_actions` in tocsin.yaml, which is then set off; any other text is for a person to do."""
    owner: str | None = None
    """Who answers for it; left out, the plan's owner is told, and the question is open."""
    cooldown: Duration | None = None
    """After one, none for so long, whatever came of it; left out, 14 days."""


class Fallback(Part):
    """What users get while the model is not trusted."""

    description: str | None = None
    """In words that a person on call understands; left out, the question is open."""


class Guard(Part):
    """What tocsin may do by itself."""

    mode: GuardMode = "shadow"
    """`shadow` only records that it would have tripped; `automatic` trips."""
    probe_share: float = Field(default=0.05, ge=0, le=1)
    """Share of calls that still reach the model in `fallback`, to see it recover."""
    hold: Duration | None = None
    """A state stays at least this long; left out, it may be released at once."""
    release: Literal["manual", "measured"] = "manual"
    """`manual`: a person releases it; `measured`: it goes to normal by itself, once what tripped it is over on calls of the model since."""
    fail_mode: GuardState = "normal"
    """Services are at least this careful while tocsin is unreachable."""


class Budget(Part):
    """What a day may cost."""

    per_day: Decimal | None = Field(default=None, gt=0)
    """Amount in `currency`, of all calls of the use case; left out, the question is open."""
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    """Three capitals, such as `EUR`; costs in another currency are not held against it."""


class Rates(Part):
    """What an hour of people's time costs, in the budget's currency."""

    review_per_hour: Decimal | None = Field(default=None, ge=0)
    """Of reviewers; left out, reviewing costs an unknown amount."""
    support_per_hour: Decimal | None = Field(default=None, ge=0)
    """Of whoever answers users; left out, unknown."""
    incident_per_hour: Decimal | None = Field(default=None, ge=0)
    """Of whoever was paged; left out, unknown."""


class Labels(Part):
    """How late the truth comes."""

    delay: Duration | None = None
    """How long after a call its label is usually there: accuracy speaks of the week that ended so long ago; left out, at once."""


class Privacy(Part):
    """How much of a call may be kept."""

    capture: Literal["none", "fields", "content"] | None = None
    """What the team has agreed may be kept, for whoever reads the plan; services hold to it by `TOCSIN_CAPTURE`."""


class Routes(Part):
    """Channels by severity; a severity without any goes to the channels of ``tocsin.yaml`` that take it."""

    page: list[str] = []
    """Channels of pages."""
    ticket: list[str] = []
    """Channels of tickets."""
    log: list[str] = []
    """Channels of what else is only in the journal."""
