"""The figures of hostile texts and templates, for ``bench/alerts.py``."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from _alerts.bombs import EATING, REACHING_OUT, UNCOUNTED, Blast, detonate
from _alerts.hostile_texts import PAGE, judged
from _alerts.injections import payloads
from _report import Figure
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.render import Templates
from tocsin_alerts.rendition import KINDS
from tocsin_alerts.rules import RuleBook, load_rules


def hostile_figures() -> list[Figure]:
    """Measure both, a minute on one core."""
    rules = load_rules(evaluators=load_evaluators())
    return [*injection_figures(rules), *bomb_figures(rules)]


def injection_figures(rules: RuleBook) -> list[Figure]:
    """Put each payload alone wherever others' words stand, on every channel and the page."""
    templates, texts = Templates(public_url=PAGE), [text for _, text in payloads()]
    effective = [effect for text in texts for effect in judged([text], rules, templates)]
    for each in effective[:20]:
        print(f"{each.channel}: {each.what}: {each.payloads[0]!r}")
    return [
        Figure(name="hostile_texts", value=len(texts), unit="texts", goal=">= 200"),
        Figure(name="forms_of_a_message", value=len(KINDS) + 1, unit="forms"),
        Figure(name="hostile_texts_effective", value=len(effective), unit="effects", goal="== 0"),
    ]


def bomb_figures(rules: RuleBook) -> list[Figure]:
    """Write a page with each bomb, with the sandbox's budget and, for what only the process stops, without."""
    with tempfile.TemporaryDirectory() as counted, tempfile.TemporaryDirectory() as uncounted:
        blasts = list(detonate(Path(counted), rules, [*REACHING_OUT, *EATING]))
        holes = list(detonate(Path(uncounted), rules, UNCOUNTED, counted=False))
    for each in (*blasts, *holes):
        if not each.is_short or each.has_escaped or each.took_s > 1.2:
            print(f"{each.took_s:.2f} s, short form {each.is_short}, escaped {each.has_escaped}: {each.source[:100]}")
    return [
        Figure(name="template_bombs", value=len(blasts), unit="templates", goal=">= 60"),
        *_figures("template_bombs", blasts),
        *_figures("uncounted_bombs", holes, counted=False),
    ]


def _figures(name: str, blasts: Sequence[Blast], *, counted: bool = True) -> list[Figure]:
    return [
        Figure(name=f"{name}_escaped", value=sum(each.has_escaped for each in blasts), unit="templates", goal="== 0"),
        Figure(name=f"{name}_most_work", value=max(each.work_s for each in blasts), unit="CPU s", goal="<= 1.2"),
        Figure(
            name=f"{name}_longest",
            value=max(each.took_s for each in blasts),
            unit="s",
            goal="<= 1.2" if counted else "",  # killed for its work: on a busy machine that takes longer
        ),
        Figure(name=f"{name}_peak_memory", value=max(each.peak_mb for each in blasts), unit="MB", goal="<= 256"),
        Figure(
            name=f"{name}_without_short_form",
            value=sum(not each.is_short for each in blasts),
            unit="pages",
            goal="== 0",
        ),
    ]
