"""A first rule, commented, with a test that passes; and what changed between two books of rules. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import Any, Final

from tocsin_alerts.rules import RuleBook
from tocsin_console.errors import UsageProblem

SCHEMA_FILE: Final = ".rule.schema.json"  # beside the rules

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_FORM: Final = Template(
    f"""\
# yaml-language-server: $$schema=./{SCHEMA_FILE}
# Why this is worth somebody's time, and how often it would fire while nothing is wrong: say both here.
# 'tocsin rules backtest $name --from 2026-01-01' counts the latter on your own history.
rule: $name
summary: Accuracy on labelled calls is low
evaluator: $evaluator  # or "sql:" with one SELECT of project, use_case, slot, value and n
every: 1d
offset: 5m  # what is still under way may arrive
severity: ticket  # a "page" wakes somebody: say its false_pages_per_year, and look at 'tocsin rules budget'
when: value < 0.8  # of value, lower, upper, baseline, effect, n, drop, z, and the plan's floor and budget_per_day
clear: value >= 0.85  # away from "when", or it flaps
for: 1  # holds one slot more; a duration, or "tolerated" by the plan
min_n: 50  # below, it says "insufficient data"
tests:  # more of them in $name.test.yaml; run by 'tocsin rules test'
  - name: two low days fire, one does not, and a good one ends it
    samples:
      - {{slot: 0, value: 0.7, n: 100}}
      - {{slot: 1, value: 0.9, n: 100}}
      - {{slot: 2, value: 0.7, n: 100}}
      - {{slot: 3, value: 0.7, n: 100}}
      - {{slot: 4, value: 0.82, n: 100}}
      - {{slot: 5, value: 0.9, n: 100}}
    expect:
      - {{slot: 0, state: pending}}
      - {{slot: 1, state: inactive}}
      - {{slot: 2, state: pending}}
      - {{slot: 3, state: firing}}
      - {{slot: 5, state: resolved}}
  - name: a few calls say nothing
    samples:
      - {{slot: 0, value: 0.1, n: 49}}
      - {{slot: 1, value: 0.1, n: 49}}
""".replace("{{", "{").replace("}}", "}")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one rule."""

    rule: str
    kind: str  # added, removed, changed
    severity: str
    keys: Mapping[str, tuple[Any, Any]]  # what it says: before, after
    evaluator_changed: bool = False


def first_rule(name: str, *, evaluator: str) -> str:
    """Write a rule to begin with.

    Raises:
        UsageProblem: the name is none.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageProblem(f"expected a name of small letters, digits and dashes such as low-scores, got {name!r}")
    return _FORM.substitute(name=name, evaluator=evaluator)


def changes(before: RuleBook, after: RuleBook) -> list[Change]:
    """Compare two books rule by rule; those that say the same are left out."""
    found = []
    for name in sorted(before.rules.keys() | after.rules.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            one = old or new
            kind = "added" if old is None else "removed"
            found.append(Change(rule=name, kind=kind, severity=one.text.severity if one else "", keys={}))
            continue
        said, says = (each.text.model_dump(mode="json", by_alias=True) for each in (old, new))
        keys = {key: (said[key], says[key]) for key in says if said[key] != says[key]}
        if keys or old.source.hash != new.source.hash:
            found.append(
                Change(
                    rule=name,
                    kind="changed",
                    severity=new.text.severity,
                    keys=keys,
                    evaluator_changed=old.source.hash != new.source.hash,
                )
            )
    return found
