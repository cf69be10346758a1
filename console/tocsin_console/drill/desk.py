"""Runs fire drills, keeps what they showed, and tells it where that is asked for."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from tocsin_alerts.documents import suggest
from tocsin_alerts.drill.decay import REFERENCE, WEEKS, Cell, Decay, Timeline, timeline
from tocsin_alerts.drill.noticing import Habits, Noticed, described, freeze, in_words, notice, watched
from tocsin_alerts.drill.page import views
from tocsin_alerts.errors import DrillRefused
from tocsin_alerts.message import View
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Labels
from tocsin_alerts.rules import RuleBook
from tocsin_collector.store.database import Database
from tocsin_console.drill.reviewing import DRAWN, reviews
from tocsin_console.drill.stage import PROJECT, sql, stage, write_days, write_reviews
from tocsin_console.statements import statement

REVIEWS: Final = 20  # a week, where nobody asks for another number
_MOST_A_DAY: Final = 2_000  # calls of the drill: more would take longer and show the same
_ASSUMED: Final = 0.9  # right, where neither confidence nor labels say anything

Deliver = Callable[[Plan, Sequence[View]], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What is known of the use case that a drill is about."""

    plan: Plan
    since: datetime  # of its own history
    until: datetime
    habits: Habits
    calls: int
    version: Mapping[str, Any]  # a row of calibration.sql


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillDesk:
    """The drills of one store. One at a time.

    Args:
        store: A client of its own; what it reads is never written.
        plans: Of the use cases.
        rules: In force.
        clock: The clock of the slots.
        now: The time of day.
        deliver: Sends a page marked DRILL.
    """

    store: Database
    plans: Plans
    rules: RuleBook
    clock: Callable[[], datetime]
    now: Callable[[], datetime]
    deliver: Deliver
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, project: str, use_case: str, decay: Decay, *, more_reviews: int, is_delivered: bool, by: str
    ) -> dict[str, Any]:
        """Inject a decay into a copy of a use case's history, and say when the live rules would have paged.

        Args:
            project: The use case's.
            use_case: Whose history.
            decay: What is injected.
            more_reviews: A week, to compare with.
            is_delivered: Whether the page is sent, marked DRILL.
            by: A person.

        Raises:
            DrillRefused: there are too few calls, or the decay cannot be made of them.
        """
        with self._one_at_a_time:
            own = self._own(project, use_case)
            if decay.kind == "covariate" and not own.habits.confidence:
                raise DrillRefused(
                    "its calls give no confidence, so nobody knows which of them are hard: ask for --kind concept"
                )
            weekly = [own.habits.reviews, *([more_reviews] if more_reviews > own.habits.reviews else [])]
            plans = [(_plan(own, str(number)), count) for number, count in enumerate(weekly)]
            control = (_plan(own, "control"), max(weekly))
            rules = watched(list(self.rules), own.plan)
            with stage(self.store, now=self.now()) as staged:
                days = _fill(staged, own, decay, plans, control, origin=self.store.address.database)
                onset = datetime.combine(days.onset_at, time(), tzinfo=UTC)
                until = datetime.combine(days.days[-1].at, time(), tzinfo=UTC) + timedelta(days=1)
                freeze(staged, plans[0][0], since=own.until - timedelta(days=REFERENCE))
                noticed = notice(staged, rules, plans, control[0], reference_until=own.until, onset=onset, until=until)
            looked = (until - onset) // timedelta(days=1)
            said = in_words(noticed, own.habits, days=looked)
            self._keep(own.plan, decay, noticed, days=looked, said=said, by=by)
        found = {
            "project": project,
            "use_case": use_case,
            "kind": decay.kind,
            "drop": decay.drop,
            "over_days": decay.over,
            "days": looked,
            "said": said,
            "noticed": [described(each) for each in noticed],
            "rules": [rule.name for rule in rules],
            "own_weeks_since": own.since,
            "own_weeks_until": own.until,
            "delivered": [],
        }
        rule = self.rules.get(noticed[0].rule)
        if is_delivered and rule is not None:
            told = views(own.plan, rule, noticed[0], onset=onset, said=said)
            found["delivered"] = list(self.deliver(own.plan, told))
        return found

    def _own(self, project: str, use_case: str) -> Own:
        plan = self.plans.get(project, use_case)
        until = datetime.combine(self.clock().astimezone(UTC).date(), time(), tzinfo=UTC)
        since = until - timedelta(weeks=WEEKS)
        frame = {"project": project, "use_case": use_case, "since": since, "until": until}
        [seen] = self.store.rows(sql("habits"), {**frame, "labels_until": max(since, until - plan.label_delay)})
        if not seen["calls"]:
            known = [row["use_case"] for row in self.store.rows(statement("known_use_cases"))]
            raise DrillRefused(
                f"expected calls of {use_case!r} between {since:%Y-%m-%d} and {until:%Y-%m-%d}, found none: "
                f"{suggest(use_case, sorted(set(known)))}"
            )
        [version] = self.store.rows(sql("calibration"), frame)
        delay = timedelta(seconds=int(seen["delay_s"]) if seen["calls_labelled"] else 0)
        habits = Habits(
            confidence=bool(seen["confident"]),
            labels=min(1.0, seen["calls_labelled"] / max(1, seen["calls_due"])),
            label_delay=max(plan.label_delay, delay),
            calibrated=bool(version["n"]),
            reviews=round(seen["reviews"] / WEEKS),
        )
        since, until, calls = self._weeks(frame, version)
        return Own(plan=plan, since=since, until=until, habits=habits, calls=calls, version=version)

    def _weeks(self, frame: Mapping[str, Any], version: Mapping[str, Any]) -> tuple[datetime, datetime, int]:
        """Choose own weeks: those of the reference, which nobody doubts, while their calls are stored; else the last ones."""
        named = {name: version[name] for name in ("model_version", "prompt_version")}
        about = {name: frame[name] for name in ("project", "use_case")} | named
        for row in self.store.rows(sql("healthy"), about):
            until = row["until"].astimezone(UTC).replace(hour=0)
            since = until - timedelta(weeks=WEEKS)
            [stored] = self.store.rows(sql("stored"), {**about, "since": since, "until": until})
            if stored["days"] >= REFERENCE:
                return since, until, stored["calls"]
        [stored] = self.store.rows(sql("stored"), {**frame, **named})
        return frame["since"], frame["until"], stored["calls"]

    def _keep(self, plan: Plan, decay: Decay, noticed: Sequence[Noticed], *, days: int, said: str, by: str) -> None:
        common: dict[str, Any] = {
            "project": plan.project,
            "use_case": plan.use_case,
            "drill": secrets.token_hex(8),
            "kind": decay.kind,
            "fall": decay.drop,
            "over_days": decay.over,
            "days": days,
            "said": said,
            "by": by,
            "at": self.now(),
        }
        rows = [
            {
                **common,
                "reviews": each.reviews,
                "is_as_it_is": int(number == 0),
                "noticed_after_days": each.day,
                "rule": each.rule,
            }
            for number, each in enumerate(noticed)
        ]
        self.store.insert("drills", rows)


def _plan(own: Own, mark: str) -> Plan:
    """Give one of the drill's use cases the plan of its own, with labels no sooner than they come."""
    delay = own.habits.label_delay if own.habits.labels else own.plan.labels.delay
    changed = {
        "project": PROJECT,
        "use_case": f"{mark}-{own.plan.use_case}",
        "labels": Labels(delay=delay),
        "calendar": [],
    }
    return own.plan.model_copy(update=changed)


def _fill(
    staged: Database,
    own: Own,
    decay: Decay,
    plans: Sequence[tuple[Plan, int]],
    control: tuple[Plan, int],
    *,
    origin: str,
) -> Timeline:
    """Copy, decay and label the calls; gives the days."""
    version = {name: own.version[name] for name in ("model_version", "prompt_version")}
    frame = {
        "origin": origin,
        "project": own.plan.project,
        "use_case": own.plan.use_case,
        "since": own.since,
        "until": own.until,
    }
    one_of = max(1, -(-own.calls // (REFERENCE * _MOST_A_DAY)))
    staged.command(sql("own_calls"), parameters={**frame, **version, "one_of": one_of})
    staged.command(sql("own_labels"), parameters=frame)
    knots = list(own.version["bins"]) if own.habits.calibrated else []
    base = own.version["accuracy"] if own.habits.calibrated else _ASSUMED
    sure = {"knots": knots, "precision": [float(each) for each in own.version["precision"]], "base": float(base)}
    staged.command(sql("own_sure"), parameters=sure)
    cells = [
        Cell(sure=row["sure"], calls=int(row["calls"]), right=row["right_calls"]) for row in staged.rows(sql("cells"))
    ]
    seed = f"{own.plan.project}\0{own.plan.use_case}"
    days = timeline(
        decay,
        cells,
        own=[row["day"] for row in staged.rows(sql("own_days"))],
        until=own.until.date(),
        label_delay=own.habits.label_delay,
        seed=seed,
    )
    write_days(staged, days)
    staged.command(sql("drill_calls"), parameters={"seed": seed})
    names = [plan.use_case for plan, _ in plans]
    named = {"project": PROJECT, "use_cases": names, "control": [control[0].use_case]}
    staged.command(sql("ai_calls"), parameters=named)
    in_reference = max(own.habits.labels, min(1.0, int(own.version["n"] or 0) / (own.calls / one_of)))
    labels = {
        **named,
        "delay_s": int(own.habits.label_delay.total_seconds()),
        "reference_until": own.until.date(),
        "in_reference": in_reference,
        "share": own.habits.labels,
    }
    staged.command(sql("labels"), parameters=labels)
    staged.insert("plans", Plans.of(*(plan for plan, _ in (*plans, control))).to_rows(now=own.until))
    for is_control, of_kind in ((0, plans), (1, [control])):
        for calls in _mornings(staged, days, is_control=is_control):
            for plan, a_week in of_kind:
                if a_week:
                    write_reviews(staged, plan.use_case, list(reviews(calls, a_week=a_week, seed=seed)))
    return days


def _mornings(staged: Database, days: Timeline, *, is_control: int) -> Iterator[list[dict[str, Any]]]:
    """Read the drill's calls a week at a time, from a morning's draw to a morning's draw."""
    first, last = days.days[0].at, days.days[-1].at
    for begun in range(-1, (last - first).days + 1, 7):
        since = datetime.combine(first + timedelta(days=begun), DRAWN, tzinfo=UTC)
        until = since + timedelta(days=7)
        frame: dict[str, Any] = {
            "first": max(first, since.date()),
            "last": until.date(),
            "since": since,
            "until": until,
        }
        frame |= {"is_control": is_control}
        yield staged.rows(sql("drawable"), frame)
