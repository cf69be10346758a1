"""Inhibitions: what is not told while something else fires that explains it. Pure.

Source: Alertmanager's documentation, "inhibit_rule".
"""

from collections.abc import Iterable, Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

from tocsin_alerts.matchers import Matcher, Matching, all_match, narrow


class Inhibition(BaseModel):
    """While a source fires, targets that are equal in some labels are not told; what still fires afterwards is told then."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: tuple[Matching, ...]
    """Matchers of what explains the others while it fires."""
    target: tuple[Matching, ...]
    """Matchers of what is not told meanwhile."""
    equal: tuple[str, ...] = ("project", "use_case")
    """Labels that both must have alike; an empty one and a missing one are alike."""

    @model_validator(mode="after")
    def _is_of_something(self) -> Self:
        if not narrow(self.source) or not narrow(self.target):
            raise ValueError(
                "expected matchers of something in particular for source and target, such as rule=freshness"
            )
        return self

    def quiets(self, target: Mapping[str, str], source: Mapping[str, str]) -> bool:
        """Whether a target is not told because of a source; one that is both a source and a target quiets no other such."""
        if not (all_match(self.target, target) and all_match(self.source, source)):
            return False
        if any(target.get(label, "") != source.get(label, "") for label in self.equal):
            return False
        return not (all_match(self.source, target) and all_match(self.target, source))


SHIPPED: Final = (
    # That far fewer calls come than usual is no news while none come at all.
    Inhibition(source=(Matcher.parse("rule=freshness"),), target=(Matcher.parse("rule=volume"),)),
    # Nor that there is nothing to judge; nowhere, while a collector is silent.
    Inhibition(source=(Matcher.parse("rule=freshness"),), target=(Matcher.parse("overlay=no_data"),)),
    Inhibition(
        source=(Matcher.parse("rule=tocsin-collector-silent"),), target=(Matcher.parse("overlay=no_data"),), equal=()
    ),
    # Nor that one rule cannot be evaluated, while none can.
    Inhibition(
        source=(Matcher.parse("rule=tocsin-evaluation-stuck"),), target=(Matcher.parse("overlay=error"),), equal=()
    ),
)


def inhibited_by(
    target: Mapping[str, str], active: Iterable[Mapping[str, str]], inhibitions: Iterable[Inhibition]
) -> Mapping[str, str] | None:
    """Find a firing alert that explains another; None: nothing does.

    Args:
        target: What the alert is matched by.
        active: The same of everything that fires.
        inhibitions: Those in force.
    """
    rules = [each for each in inhibitions if all_match(each.target, target)]
    return next((source for source in active for each in rules if each.quiets(target, source)), None) if rules else None
