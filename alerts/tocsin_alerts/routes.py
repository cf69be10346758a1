"""Routes that lead nowhere: a channel that a plan or a rule names and that there is not. Pure."""

from collections.abc import Collection, Iterable, Iterator

from tocsin_alerts.plan import Plan
from tocsin_alerts.rules import RuleBook


def lost_routes(plans: Iterable[Plan], rules: RuleBook, channels: Collection[str]) -> list[str]:
    """List the routes that name no channel, in a sentence each; whoever they were for is told nothing."""
    named = [*_of_plans(plans), *((f"rule {rule.name}", name) for rule in rules for name in rule.text.route)]
    return sorted({f"{what} names the channel {name!r}" for what, name in named if name not in channels})


def _of_plans(plans: Iterable[Plan]) -> Iterator[tuple[str, str]]:
    for plan in plans:
        routes = plan.routes
        for name in (*routes.page, *routes.ticket, *routes.log):
            yield f"the plan of {plan.use_case}", name
        for step in plan.escalation:
            for name in step.route:
                yield f"the escalation of {plan.use_case}", name
