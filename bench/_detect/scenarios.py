"""What can happen to a stream, what is known of it, and what of it is measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from _detect.world import Change

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What turns out to be true of calls, and when."""

    reference: int = 2_000  # calls of the reference window with a label, as a test set has
    all_after_days: int | None = None  # every call's label, so late
    reviews_a_week: int = 0
    reviewed_daily: bool = True  # `tocsin review --daily` each morning; else the week's at once on Mondays
    judged_a_day: int = 0
    judge_misses: float = 0.15  # of wrong answers that the judge lets pass
    judge_slanders: float = 0.03  # of right answers that it calls wrong
    compared: int = 400  # calls of the test set that the judge scores too, by which its error is known


STEADY: Final = Change()
TESTED: Final = Labels()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story."""

    name: str
    change: Change = STEADY
    labels: Labels = TESTED
    figure: str  # as reported
    unit: Literal["days", "hours", "pages", "pages/year"]
    goal: str = ""  # at 2,000 calls a day
    notice: Literal["page", "any"] = "page"  # what ends the delay
    days_after: int = 60  # of the change
    mid_day: bool = False  # the change comes at any second of the day, else at midnight UTC


SCENARIOS: Final[Mapping[str, Scenario]] = {
    each.name: each
    for each in (
        Scenario(
            name="covariate",
            change=Change(covariate=True),
            figure="covariate_days",
            unit="days",
            goal="<= 4",
            days_after=30,
        ),
        Scenario(name="swap", change=Change(swap=True), figure="swap_days", unit="days", goal="<= 1", days_after=14),
        Scenario(
            name="null",
            change=Change(null_share=0.2),
            figure="null_hours",
            unit="hours",
            goal="<= 3",
            notice="any",
            days_after=3,
            mid_day=True,
        ),
        Scenario(
            name="category",
            change=Change(new_share=0.03),
            figure="new_category_days",
            unit="days",
            goal="<= 1",
            notice="any",
            days_after=14,
            mid_day=True,
        ),
        Scenario(
            name="benign",
            change=Change(campaign=True),
            figure="benign_pages",
            unit="pages",
            goal="<= 0",
            days_after=28,
        ),
        Scenario(
            name="concept_labels",
            change=Change(concept=True),
            labels=Labels(all_after_days=14),
            figure="concept_labels_days",
            unit="days",
            goal="<= 20",
            days_after=40,
        ),
        Scenario(
            name="concept_reviews",
            change=Change(concept=True),
            labels=Labels(reviews_a_week=20),
            figure="concept_reviews_days",
            unit="days",
            goal="<= 28",
            days_after=60,
        ),
        Scenario(
            name="concept_reviews_weekly",
            change=Change(concept=True),
            labels=Labels(reviews_a_week=20, reviewed_daily=False),
            figure="concept_reviews_weekly_days",
            unit="days",
            days_after=60,
        ),
        Scenario(
            name="concept_judge",
            change=Change(concept=True),
            labels=Labels(reviews_a_week=20, judged_a_day=50),
            figure="concept_judge_days",
            unit="days",
            goal="<= 18",
            days_after=60,
        ),
        Scenario(
            name="stationary",
            labels=Labels(reviews_a_week=20, judged_a_day=50),
            figure="false_pages_per_stream_year",
            unit="pages/year",
            goal="<= 0.3",
            days_after=337,
        ),
        Scenario(
            name="stationary_labels",
            labels=Labels(all_after_days=14),
            figure="false_pages_per_stream_year_with_all_labels",
            unit="pages/year",
            goal="<= 0.3",
            days_after=337,
        ),
    )
}
