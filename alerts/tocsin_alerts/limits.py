"""How many alerts one rule may raise in one use case: the worst are kept, and say how many are not. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tocsin_alerts.plan import Plans
from tocsin_alerts.records import Sample
from tocsin_alerts.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What a rule could not raise at one slot."""

    alerts: frozenset[str] = frozenset()  # fingerprints
    by_use_case: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def note(self, rule: Rule, project: str, use_case: str) -> str:
        """Say it beside the reason of an alert that was raised."""
        more = self.by_use_case.get((project, use_case), 0)
        return (
            f"; {more} more like it are beyond the rule's limit of {rule.text.limit}, these are the worst"
            if more
            else ""
        )


def leave_out(
    rule: Rule,
    given: Mapping[str, Sample],
    raised: Collection[str],
    plans: Plans,
    *,
    place: Callable[[str], tuple[str, str]],
    is_decided: bool = False,
) -> LeftOut:
    """Pick what is beyond a rule's limit, use case by use case. An alert that is raised stays, whatever is worse.

    Args:
        rule: Which.
        given: Its samples of one slot, by the alert's fingerprint.
        raised: Its alerts that are pending, firing or recovering.
        plans: Of the use cases.
        place: Project and use case of a raised alert.
        is_decided: What was raised at this slot is stored and taken over already: nothing more is.
    """
    if not is_decided and len(given) + len(raised) <= rule.text.limit:
        return LeftOut()
    held = _count(place(key) for key in raised)
    asking: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for key, sample in given.items():
        plan = plans.get(sample.project, sample.use_case)
        if key not in raised and rule.observe(sample, plan).holds:
            asking.setdefault((sample.project, sample.use_case), []).append((-rule.excess(sample, plan), key))
    limit = 0 if is_decided else rule.text.limit
    over = {where: sorted(wanted)[max(0, limit - held.get(where, 0)) :] for where, wanted in asking.items()}
    return LeftOut(
        alerts=frozenset(key for ranked in over.values() for _, key in ranked),
        by_use_case={where: len(ranked) for where, ranked in over.items() if ranked and not is_decided},
    )


def _count(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for each in places:
        found[each] = found.get(each, 0) + 1
    return found
