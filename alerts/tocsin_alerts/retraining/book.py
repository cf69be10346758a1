"""Fires what is due, once, tries again what failed, and keeps the books.

An attempt is written down before it begins. One that a crash cut off may have happened: only an action whose receiver
recognises a repeat is tried again then.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from importlib import resources
from typing import Any, Final

from tocsin_alerts.audit import record
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.ports import Query
from tocsin_alerts.retraining.actions import Action, ActionFailed, ActionUnclear, Order, Webhook
from tocsin_alerts.retraining.trigger import Held, Point, Trigger, held, rests_until, run_id, trigger_of

_MOST_ATTEMPTS: Final = 5
_PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
_DAY: Final = timedelta(days=1)
_FOR_PEOPLE: Final = frozenset({"failed", "unclear", "manual"})


class RetrainingBook:
    """The triggers of all plans, over one store.

    Args:
        query: A client of its own.
        plans: Whose triggers.
        actions: By the name that a plan's ``retraining.action`` says; any other text is for a person to do.
        evaluators: Names that a metric can have.
        through: The last midnight that every daily evaluator has judged.
        now: The time of day.
        may_act: Whether this process is the one that acts.
    """

    def __init__(
        self,
        query: Query,
        plans: Plans,
        actions: Mapping[str, Action],
        *,
        evaluators: Sequence[str],
        through: Callable[[], datetime | None],
        now: Callable[[], datetime],
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._query = query
        self._plans = plans
        self._actions = actions
        self._evaluators = evaluators
        self._through = through
        self._now = now
        self._may_act = may_act
        self._one_at_a_time = threading.Lock()

    def turn(self) -> int:
        """Fire what is due and try again what failed; says how many actions were started."""
        if not self._may_act():
            return 0
        with self._one_at_a_time:
            slot = self._through()
            if slot is not None:
                for plan in self._plans:
                    self._look(plan, _midnight(slot))
            return sum(self._go_on(run) for run in self._runs())

    def status(self, project: str = "", use_case: str = "") -> list[dict[str, Any]]:
        """Say of each plan what its trigger is, how near it is, and what it has set off."""
        with self._one_at_a_time:
            runs = self._runs(project, use_case)
            return [
                self._standing(plan, [run for run in runs if _is_of(run, plan)])
                for plan in self._plans
                if project in ("", plan.project) and use_case in ("", plan.use_case)
            ]

    def warnings(self) -> list[dict[str, Any]]:
        """List what somebody has to do: triggers that cannot fire, and latest runs that failed or wait for a person."""
        with self._one_at_a_time:
            latest = {(run["project"], run["use_case"]): run for run in reversed(self._runs())}
        found = []
        for plan in self._plans:
            about = {"project": plan.project, "use_case": plan.use_case}
            if problem := self._problem(trigger_of(plan)):
                found.append({**about, "warning": f"cannot be triggered: {problem}"})
            run = latest.get((plan.project, plan.use_case))
            if run is not None and run["state"] in _FOR_PEOPLE and not run["result"]:
                since = run["slot"].astimezone(UTC)
                found.append({**about, "warning": f"{run['state']} since {since:%Y-%m-%d}: {run['said']}"})
        return found

    def start(self, project: str, use_case: str, *, because: str, by: str) -> dict[str, Any]:
        """Set a retraining off by a person's decision, as if it were due: to see that it works, or because they know more.

        Raises:
            LookupError: the plan does not say what, or one is under way.
        """
        with self._one_at_a_time:
            plan = self._plans.get(project, use_case)
            trigger, slot = trigger_of(plan), self._now()
            if trigger is None:
                raise LookupError(
                    f"expected a plan that says what triggers a retraining of {use_case!r}, and what it does"
                )
            under_way = [run for run in self._runs(project, use_case) if run["state"] in ("due", "begun")]
            if under_way:
                raise LookupError(f"expected none under way, but {under_way[0]['run'][:10]} is {under_way[0]['state']}")
            run = self._new(plan, trigger, slot, condition=f"{by} said so: {because}", value=0.0, n=0, labels={})
            self._audit(run, "retraining due", because, actor=by)
            return run

    def close(self, run: str, result: str, *, by: str) -> dict[str, Any]:
        """Record what came of a run.

        Raises:
            LookupError: there is no such run, or several begin like that.
        """
        with self._one_at_a_time:
            found = [each for each in self._runs() if each["run"].startswith(run)]
            if not run or len(found) != 1:
                raise LookupError(f"expected one run of 'tocsin retraining', got {len(found)} that begin with {run!r}")
            self._audit(found[0], "retraining closed", result, actor=by)
            return self._write(found[0], result=f"{result} ({by})")

    def _look(self, plan: Plan, slot: datetime) -> None:
        trigger = trigger_of(plan)
        if trigger is None:
            return
        runs = self._runs(plan.project, plan.use_case)
        rests = rests_until(trigger, [run["slot"].astimezone(UTC) for run in runs])
        if rests is not None and slot < rests:
            return
        due = [each for each in self._held(plan, trigger, slot) if each.is_due]
        if not due:
            return
        worst = max(due, key=lambda each: (each.slots, each.last.n))
        at_last = {"value": worst.last.value, "n": worst.last.n, "labels": dict(worst.labels)}
        run = self._new(plan, trigger, slot, condition=trigger.words, **at_last)
        self._audit(run, "retraining due", f"{trigger.words}: {worst.last.value:.4g} on {worst.last.n}")

    def _new(self, plan: Plan, trigger: Trigger, slot: datetime, **why: Any) -> dict[str, Any]:
        is_ours = trigger.action in self._actions
        said = f"no action of tocsin.yaml is called that: {trigger.owner or 'somebody'} does it"
        run = {
            "run": run_id(plan.project, plan.use_case, slot),
            "project": plan.project,
            "use_case": plan.use_case,
            "slot": slot,
            "metric": trigger.metric,
            **why,
            "action": trigger.action,
            "owner": trigger.owner,
            "state": "due" if is_ours else "manual",
            "attempts": 0,
            "next_at": self._now(),
            "said": "" if is_ours else said,
            "result": "",
            "version": 0,
        }
        self._query.insert("retraining_runs", [{**run, "at": self._now()}])
        return run

    def _go_on(self, run: dict[str, Any]) -> int:
        action = self._actions.get(run["action"])
        if run["state"] == "begun":  # this process holds the lock, so whoever began it is gone
            if not isinstance(action, Webhook):
                self._end(run, "unclear", "it was cut off: look whether it happened before doing it by hand")
                return 0
        elif run["state"] != "due" or run["next_at"].astimezone(UTC) > self._now():
            return 0
        if action is None:
            self._end(run, "failed", f"no action of tocsin.yaml is called {run['action']!r} any more")
            return 0
        run = self._write(run, state="begun", attempts=run["attempts"] + 1)
        order = Order(
            run=run["run"],
            project=run["project"],
            use_case=run["use_case"],
            condition=run["condition"],
            metric=run["metric"],
            value=run["value"],
            n=run["n"],
            slot=run["slot"].astimezone(UTC).isoformat(),
            owner=run["owner"],
        )
        try:
            said = action.start(order)
        except ActionUnclear as error:
            self._end(run, "unclear", f"{error}: look whether it happened before doing it by hand")
        except Exception as error:  # noqa: BLE001 - a boundary: whatever an action does is tried again, and then said
            why = str(error) if isinstance(error, ActionFailed) else f"{type(error).__name__}: {error}"
            if run["attempts"] >= _MOST_ATTEMPTS:
                self._end(run, "failed", f"{run['attempts']} attempts, the last: {why}")
            else:
                pause = _PAUSES[min(run["attempts"], len(_PAUSES)) - 1]
                self._write(run, state="due", next_at=self._now() + pause, said=why[:2_000])
        else:
            self._end(run, "done", said)
        return 1

    def _end(self, run: Mapping[str, Any], state: str, said: str) -> None:
        self._write(run, state=state, said=said[:2_000])
        self._audit(run, f"retraining {state}", said)

    def _held(self, plan: Plan, trigger: Trigger, slot: datetime) -> list[Held]:
        asked = {
            "project": plan.project,
            "use_case": plan.use_case,
            "metric": trigger.metric,
            "after": slot - max(trigger.duration, _DAY) - _DAY,
            "slot": slot,
        }
        series: dict[tuple[tuple[str, str], ...], list[Point]] = {}
        for row in self._query.rows(_sql("samples"), asked):
            value, lower, upper, n = row["sample"]
            point = Point(slot=row["at_slot"].astimezone(UTC), value=value, lower=lower, upper=upper, n=n)
            series.setdefault(tuple(sorted(row["labels"].items())), []).append(point)
        found = [held(trigger, dict(labels), points, slot=slot) for labels, points in series.items()]
        return [each for each in found if each is not None]

    def _standing(self, plan: Plan, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        trigger, slot = trigger_of(plan), self._through()
        missing = [question.missing for question in plan.questions() if "retraining" in question.text]
        series = self._held(plan, trigger, _midnight(slot)) if trigger and slot else []
        nearest = max(series, key=lambda each: (each.slots, each.last.n), default=None)
        action = self._actions.get(trigger.action) if trigger else None
        return {
            "project": plan.project,
            "use_case": plan.use_case,
            "trigger": trigger and trigger.words,
            "unanswered": [name for each in missing for name in each],
            "problem": self._problem(trigger),
            "action": trigger and (action.words if action else f"by hand: {trigger.action}"),
            "is_automatic": action is not None,
            "owner": trigger and trigger.owner,
            "cooldown_s": trigger and trigger.cooldown.total_seconds(),
            "rests_until": trigger and rests_until(trigger, [run["slot"].astimezone(UTC) for run in runs]),
            "slot": slot,
            "value": nearest and nearest.last.value,
            "n": nearest.last.n if nearest else 0,
            "slots_held": nearest.slots if nearest else 0,
            "slots_needed": trigger and trigger.slots,
            "runs": list(runs),
        }

    def _problem(self, trigger: Trigger | None) -> str:
        if trigger is None or trigger.metric in self._evaluators:
            return ""
        near = get_close_matches(trigger.metric, self._evaluators, n=3)
        hint = f": did you mean {' or '.join(near)}?" if near else ""
        return f"expected retraining.trigger.metric to be an evaluator, got {trigger.metric!r}{hint}"

    def _runs(self, project: str = "", use_case: str = "") -> list[dict[str, Any]]:
        return self._query.rows(_sql("runs"), {"project": project, "use_case": use_case})

    def _write(self, run: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        written = {**run, **changes, "version": run["version"] + 1, "at": self._now()}
        self._query.insert("retraining_runs", [written])
        return written

    def _audit(self, run: Mapping[str, Any], action: str, detail: str, *, actor: str = "tocsin") -> None:
        record(
            self._query,
            key=f"{run['run']} {run['version']}",
            at=self._now(),
            actor=actor,
            action=action,
            subject=f"{run['project']}/{run['use_case']}",
            detail=f"{run['action']}: {detail}",
        )


def _is_of(run: Mapping[str, Any], plan: Plan) -> bool:
    return (run["project"], run["use_case"]) == (plan.project, plan.use_case)


def _midnight(slot: datetime) -> datetime:
    return slot.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("retraining", f"{name}.sql").read_text(encoding="utf-8")
