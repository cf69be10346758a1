"""Find what is wrong with message templates before an alert needs them."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final, get_args

from jinja2 import TemplateError as JinjaError
from jinja2 import meta, nodes

from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import Finding, TemplateError
from tocsin_alerts.message import (
    Action,
    Alert,
    Day,
    Drift,
    Example,
    Impact,
    Measure,
    Money,
    Release,
    Retraining,
    Runbook,
    Segment,
)
from tocsin_alerts.records import NotificationTransition
from tocsin_alerts.render import NAMES, Templates
from tocsin_alerts.sample_views import SAMPLES
from tocsin_alerts.sandbox import BudgetedEnvironment

SUFFIX: Final = ".j2"
_TRANSITIONS: Final = get_args(NotificationTransition)
_KINDS: Final = (Action, Alert, Day, Drift, Example, Impact, Measure, Money, Release, Retraining, Runbook, Segment)
_RECORDS: Final = {kind.__name__: kind for kind in _KINDS}


def check_templates(folder: Path | None) -> tuple[Finding, ...]:
    """Find every undeclared name, unknown filter and mistaken field of a folder of templates.

    Args:
        folder: The user's; the shipped templates are checked with it, as it overrides them. None: the shipped alone.

    Returns:
        One finding a mistake, in order of file and line, each naming the nearest valid name.
    """
    if folder is not None and not folder.is_dir():
        return ()
    templates = Templates(folder)
    found: dict[str, Finding] = {}
    for name in templates.text.list_templates(filter_func=lambda name: name.endswith(SUFFIX)):
        environment = templates.html if ".html" in name else templates.text
        for finding in _read(environment, name):
            found[str(finding)] = finding
    if not found:  # a template that cannot be read would only fail again when it is tried
        for finding in _tried(templates):
            found[str(finding)] = finding
    return tuple(sorted(found.values(), key=lambda finding: (finding.path, finding.line, finding.message)))


def check_named(folder: Path | None, name: str) -> str:
    """Say what is wrong with the template that a rule names; empty when nothing is."""
    templates = Templates(folder if folder is not None and folder.is_dir() else None)
    if templates.has(f"{name}.txt.j2"):
        return ""
    known = [each.removesuffix(".txt.j2") for each in templates.text.list_templates() if each.endswith(".txt.j2")]
    return f"expected a template {name}.txt.j2: {suggest(name, [each for each in known if not each.startswith('_')])}"


def _read(environment: BudgetedEnvironment, name: str) -> list[Finding]:
    assert environment.loader  # noqa: S101 - the constructor demands one
    source, path, _ = environment.loader.get_source(environment, name)
    where = path or name
    try:
        tree = environment.parse(source, name, where)
        # Inside an if, Jinja itself leaves unknown filters and tests to the moment at which they are reached.
        wrong = list(_unknown_functions(environment, tree)) or list(_undeclared(environment, tree))
        if not wrong:
            environment.compile(source, name, where)
    except JinjaError as error:
        wrong = [(int(getattr(error, "lineno", 0) or 0), str(error.message))]
    return [Finding(path=where, line=line, message=message) for line, message in wrong]


def _unknown_functions(environment: BudgetedEnvironment, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    for kind, what, known in ((nodes.Filter, "filter", environment.filters), (nodes.Test, "test", environment.tests)):
        for node in tree.find_all(kind):
            if node.name not in known:
                yield node.lineno, f"unknown {what} {node.name!r}: {suggest(node.name, sorted(known))}"


def _undeclared(environment: BudgetedEnvironment, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    undeclared = meta.find_undeclared_variables(tree) - NAMES - set(environment.globals)
    for node in tree.find_all(nodes.Name):
        if node.name in undeclared:
            yield node.lineno, f"unknown name {node.name!r}: {suggest(node.name, sorted(NAMES))}"


def _tried(templates: Templates) -> list[Finding]:
    """Render every message of the samples: a mistaken field shows only then."""
    entries = [name for name in templates.text.list_templates() if name.endswith(SUFFIX) and not name.startswith("_")]
    found = []
    for name in entries:
        stem = name.partition(".")[0]
        for view in SAMPLES:
            if stem in _TRANSITIONS and stem != view.transition:
                continue
            try:
                templates.render(name, view)
            except TemplateError as error:
                found += [_with_fields(finding) for finding in error.findings]
    return found


def _with_fields(finding: Finding) -> Finding:
    """Add the nearest field to Jinja's ``'Alert object' has no attribute 'valu'``."""
    owner, found, rest = finding.message.partition("' has no attribute '")
    kind = _RECORDS.get(owner.rpartition(".")[2].removeprefix("'").removesuffix(" object"))
    if not found or kind is None:
        return finding
    wrong = rest.rstrip("'")
    known = [field.name for field in fields(kind)]
    return Finding(path=finding.path, line=finding.line, message=f"unknown field {wrong!r}: {suggest(wrong, known)}")
