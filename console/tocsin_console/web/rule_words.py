"""A rule in words: what it looks at, when it fires, and what follows. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from tocsin_alerts.durations import format_duration
from tocsin_alerts.rule import Rule
from tocsin_alerts.rule_text import TOLERATED

NOISY_TIMES: Final = 5  # fired so often in four weeks
NOISY_VERDICTS: Final = 2  # of its incidents were noise, and more than were actionable


def in_words(rule: Rule) -> Iterator[tuple[str, str]]:
    """Give each thing that a rule says, by its name."""
    text, source = rule.text, rule.source
    lag = ", which ends when labels are usually complete" if getattr(source, "lags_labels", False) else ""
    yield "Looks at", f"{source.name}: {getattr(source, 'summary', '') or 'its own statement'}"
    yield "Unit", str(getattr(source, "unit", "")) or "as its statement has it"
    yield "How often", f"every {format_duration(text.every)}, over {format_duration(rule.window)}{lag}"
    yield "Fires when", f"{text.when}{_for(text.hold)}"
    yield "Is over when", (text.clear or "that no longer holds") + _for(text.keep_firing_for)
    yield (
        "Needs",
        f"{text.min_n:,} calls or labels behind a value; fewer are no evidence"
        if text.min_n
        else "any evidence at all",
    )
    if text.needs or text.without:
        said = [f"says {', '.join(text.needs)}"] if text.needs else []
        said += [f"does not say {', '.join(text.without)}"] if text.without else []
        yield "Of use cases", f"whose plan {' and '.join(said)}"
    for name, value in rule.params.items():
        yield name, str(value)
    yield "Then", f"a {text.severity}" + (f", and the guard goes to {text.guard}" if text.guard else "")
    if text.no_data is not None:
        yield "Without evidence", f"a ticket after {format_duration(text.no_data)} in which there was nothing to judge"
    if text.false_pages_per_year is not None:
        yield (
            "By chance",
            f"{text.false_pages_per_year:g} pages a year of each use case, measured on streams that are well",
        )
    if text.owner or text.route:
        yield "Told to", ", ".join([*([text.owner] if text.owner else []), *text.route])


def _for(hold: int | timedelta | str) -> str:
    if hold == TOLERATED:
        return ", for longer than the plan tolerates"
    if isinstance(hold, timedelta):
        return f", for {format_duration(hold)}" if hold else ""
    return f", at {int(hold) + 1} slots in a row" if hold else ""
