"""The page of a drill: it says on its first line that nothing is wrong, and nothing in it is made up. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from tocsin_alerts.drill.noticing import Noticed
from tocsin_alerts.message import Alert, Measure, Runbook, View
from tocsin_alerts.plan import Plan
from tocsin_alerts.rule import Rule

MARK: Final = "DRILL, nothing is wrong: "


def views(plan: Plan, rule: Rule, noticed: Noticed, *, onset: datetime, said: str) -> tuple[View, View]:
    """Write the message that begins the drill's incident, and the one that ends it.

    Args:
        plan: Whose people are told.
        rule: That paged first.
        noticed: When.
        onset: When the decay that was injected began.
        said: What the drill showed.
    """
    slot = noticed.slot or onset
    alert = Alert(
        rule=rule.name,
        summary=rule.text.summary,
        evaluator=rule.source.name,
        unit="",
        severity="page",
        state="firing",
        measure=Measure(value=None),
        threshold=None,
        reason=f"in the drill it fires on day {noticed.day}",
        labels={},
        since=slot,
        is_new=True,
    )
    firing = View(
        transition="firing",
        severity="page",
        project=plan.project,
        use_case=plan.use_case,
        incident="",
        do_now=f"a decay that was injected into a copy of its calls was {said}",
        command="",
        changed="",
        opened=slot,
        onset=onset,
        slot=slot,
        lead=alert,
        alerts=(alert,),
        more_alerts=0,
        quality=None,
        estimated=None,
        wrong_per_day=None,
        calls_per_day=None,
        history=(),
        drifted=(),
        worst_segment=None,
        examples=(),
        owner=plan.owner or "",
        contact=plan.contact or "",
        runbook=Runbook(link=plan.runbook.link or "", steps=tuple(plan.runbook.first_steps)),
        dashboard=plan.dashboard or "",
        action=None,
        commands=(),
    )
    return firing, replace(firing, transition="resolved", lead=replace(alert, state="resolved", is_new=False))
