"""The page of evaluators: what each looks at, over which window, by which method, and what it assumes."""

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Final

from generating.markdown import codes, page, prose, table
from tocsin_alerts.durations import format_duration
from tocsin_alerts.evaluator import RANGE, Evaluator
from tocsin_alerts.rules import RuleBook

_HEADER: Final = re.compile(r"\A\s*/\*.*?\*/\s*", re.DOTALL)
_COMMENT: Final = re.compile(r"(?:--[^\n]*\n)+")
# The words by which a comment's sentences begin when they say what every statistician asks for.
_PARTS: Final = re.compile(
    r"(?:^|(?<=\. )|(?<=\.\) ))(Window|Method|Baseline|Interval|Effect|Assumes|Source|n)(:| that)(?= )"
)


def evaluators_page(evaluators: Mapping[str, Evaluator], book: RuleBook) -> str:
    """Write it."""
    used: dict[str, list[str]] = {}
    for rule in book:
        used.setdefault(rule.source.name, []).append(rule.name)
    ordered = sorted(evaluators.values(), key=lambda each: (each.is_of_now, each.name))
    return page(
        "Evaluators",
        "What rules look at: every evaluator that tocsin ships, each one SELECT over the store, with its window, method, interval and assumptions.",
        "A sample has a `value`, most an interval of 95 % (`lower`, `upper`) and what the value is in the reference (`baseline`); `n` is the calls or labels behind it. "
        "Which rules use it is said below each; [rules](rules.md) has them. A `.sql` file of yours in the folder of rules is one more, or replaces one by its name.",
        table(
            ("Evaluator", "What it is", "Unit"),
            ((f"[{each.name}](#{each.name})", prose(each.summary), prose(each.unit)) for each in ordered),
        ),
        *(part for each in ordered for part in _one(each, used.get(each.name, []))),
    )


def _one(evaluator: Evaluator, used: list[str]) -> Iterator[str]:
    yield f"## {evaluator.name}"
    yield f"{prose(evaluator.summary)}."
    said = {
        "Unit": prose(evaluator.unit),
        "Looks back": _window(evaluator),
        "One series for each": codes(("project", "use_case", *evaluator.labels)),
        "Parameters": codes(f"{name}: {kind}" for name, kind in evaluator.params.items() if name not in RANGE),
        "Only with outcomes": codes(sorted(evaluator.outcomes)),
        "Rules": ", ".join(f"[{name}](rules.md#{name})" for name in used),
    }
    yield table(("", ""), ((name, value) for name, value in said.items() if value))
    yield _method(evaluator.name)


def _window(evaluator: Evaluator) -> str:
    if evaluator.is_of_now:
        return "at the time of day, whatever is loaded"
    window = format_duration(evaluator.window) if evaluator.window else "to the slot before, or as is said below"
    return f"{window}, ending the plan's label delay before the slot" if evaluator.lags_labels else window


def _method(name: str) -> str:
    """Give the comment that follows the header, with a line for each thing that it says."""
    text = resources.files("tocsin_alerts").joinpath("evaluators", f"{name}.sql").read_text(encoding="utf-8")
    found = _COMMENT.match(_HEADER.sub("", text))
    said = " ".join(line.removeprefix("--").strip() for line in found[0].splitlines()) if found else ""
    lines = _PARTS.sub(lambda part: f"\n{part[0]}", said).strip().splitlines()
    if len(lines) < 2:
        return prose(said)
    return "\n".join(f"- {_emphasised(line.strip())}" for line in lines)


def _emphasised(line: str) -> str:
    word, colon, rest = line.partition(":")
    return f"**{word}**: {prose(rest)}" if colon and word in _PARTS.pattern and " " not in word else prose(line)
