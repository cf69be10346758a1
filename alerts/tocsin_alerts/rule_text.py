"""What the YAML of a rule may say. What stands below a key is what docs/reference/rules.md and editors say of it."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tocsin_alerts.durations import Duration, parse_duration
from tocsin_alerts.records import AlertState, Severity
from tocsin_alerts.web_links import WebLink

Verdict: TypeAlias = Literal["wrong", "drifting", "none"]
TOLERATED: Final = "tolerated"  # "for: tolerated" is the plan's quality.tolerate


def _read_hold(given: Any) -> Any:
    if isinstance(given, int) and not isinstance(given, bool):
        if given < 0:
            raise ValueError(f"expected at least 0 slots, got {given}")
        return given
    return TOLERATED if given == TOLERATED else parse_duration(given)


Hold: TypeAlias = Annotated[int | Duration | Literal["tolerated"], BeforeValidator(_read_hold)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class TestSample(_Part):
    """What the evaluator says at one slot of a rule's own test."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    slot: int = Field(ge=0)
    """Number of the slot, from 0."""
    value: float | None = None
    """Its value; left out, the evaluator has none."""
    lower: float | None = None
    """Lower end of its 95 % interval; left out, none."""
    upper: float | None = None
    """Upper end of its 95 % interval; left out, none."""
    baseline: float | None = None
    """The reference's value; left out, there is none."""
    effect: float | None = None
    """Size of the change in the evaluator's own measure; left out, none."""
    n: int = 1000
    """Calls or labels behind the value."""
    labels: dict[str, str] = {}
    """Labels of the series."""


class TestExpectation(_Part):
    """One transition that must happen."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    slot: int
    """Number of the slot at which it happens."""
    state: AlertState
    """State that the alert comes into."""
    labels: dict[str, str] = {}
    """Labels of the series."""


class TestPlan(_Part):
    """What the plan says during a rule's own test."""

    floor: float | None = None
    """As `quality.floor`; left out, open."""
    tolerate: Duration | None = None
    """As `quality.tolerate`; left out, open."""
    budget_per_day: float | None = None
    """As `budget.per_day`; left out, open."""


class RuleTest(_Part):
    """A story: samples at slots, and every transition that they must cause, no more and no fewer."""

    name: str
    """What the story claims, in a sentence."""
    plan: TestPlan = TestPlan()
    """What the plan says meanwhile."""
    samples: list[TestSample]
    """What the evaluator says, slot by slot."""
    until: int | None = None
    """The last slot, when it comes after the last sample."""
    expect: list[TestExpectation] = []
    """Every transition; left out, none may happen."""


class RuleText(_Part):
    """A rule as its YAML file says it."""

    rule: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)
    """Its name; a file of yours with the same one replaces the shipped rule."""
    summary: str
    """What is the matter when it fires, in the sentence that messages begin with."""
    enabled: bool = True
    """false switches it off, as a shipped rule by a file of its name."""
    evaluator: str | None = None
    """What it looks at: the name of a shipped evaluator, or of a `.sql` file beside the rule; either this or `sql`."""
    sql: str | None = None
    """A SELECT of your own in the file itself; either this or `evaluator`."""
    params: dict[str, int | float | str] = {}
    """Parameters of the evaluator, by name."""
    every: Duration = timedelta(days=1)
    """The grid of slots, in UTC, at which it is evaluated; at least a minute."""
    offset: Duration = timedelta(0)
    """How long after a slot's end it is looked at."""
    severity: Severity
    """`page` wakes somebody, `ticket` waits for working hours, `log` only stands in the journal."""
    group: str = Field(default="quality", min_length=1)
    """Page rules of one group and use case are one incident and one page."""
    when: str
    """Fires on it: a condition over `value`, `lower`, `upper`, `baseline`, `drop`, `z`, `effect`, `n`, the plan's `floor` and `budget_per_day`, and `strict`."""
    clear: str | None = None
    """A firing alert is over on it, and between the two it stays as it is; left out, not `when`."""
    hold: Hold = Field(default=0, alias="for")
    """How long `when` must hold first, pending until then: slots (`2`), a time (`6h`), or `tolerated`, the plan's `quality.tolerate`; 0 fires at once."""
    keep_firing_for: Hold = 0
    """How long `clear` must hold before it is over; recovering until then, and nobody is told twice."""
    min_n: int = Field(default=0, ge=0)
    """Calls or labels behind a value that count as evidence; with fewer nothing changes."""
    limit: int = Field(default=200, ge=1)
    """Alerts in one use case; of more the worst are raised, and say how many are not. One that is raised stays until it is over."""
    no_data: Duration | None = None
    """A ticket under the same labels (and `overlay: no_data`) once the rule had nothing to judge in the whole use case for so long; left out, never."""
    error: Severity | Literal["ignore"] | None = None
    """What it is in each use case of the rule (`overlay: error`) when its evaluator keeps failing for two of its periods, a quarter of an hour at least and two hours at most; `ignore` leaves it to tocsin itself; left out, a ticket, and `log` of a `log` rule."""
    false_pages_per_year: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """How often chance alone fires it on one stationary stream, as it was measured; left out, unknown."""
    needs: list[Literal["floor", "budget_per_day"]] = []
    """Only for use cases whose plan says all of these; left out, for all."""
    without: list[Literal["floor", "budget_per_day"]] = []
    """Only for use cases whose plan says none of these; left out, for all."""
    guard: Literal["verify", "fallback"] | None = None
    """What the guard does when it fires; left out, nothing."""
    verdict: Verdict = "drifting"
    """What `tocsin status` says of the use case meanwhile."""
    owner: str | None = None
    """Who answers for it; left out, the plan's."""
    runbook: str | None = None
    """Address of its runbook; left out, the plan's. That of a shipped rule is named beside it."""
    dashboard: WebLink | None = None
    """Address of http or https, shown beside the runbook; left out, the plan's, else the console's page of the use case, with `public_url`."""
    route: list[str] = []
    """Channels that are told; left out, the plan's routes, else the channels that take its severity."""
    template: str | None = None
    """Name of the template, `NAME.txt.j2`, that says it fires; left out, the one of all rules."""
    tests: list[RuleTest] = []
    """Stories that `tocsin rules test` plays: samples at slots, and the transitions they must cause."""

    @model_validator(mode="after")
    def _reads_one_source(self) -> "RuleText":
        if (self.evaluator is None) == (self.sql is None):
            raise ValueError("expected either 'evaluator' or 'sql', got " + ("both" if self.sql else "neither"))
        if self.every < timedelta(minutes=1):
            raise ValueError(f"expected 'every' of at least 1m, got {self.every.total_seconds():g}s")
        return self
