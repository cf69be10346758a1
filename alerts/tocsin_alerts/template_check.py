"""Find what is wrong with message templates before an alert needs them."""

from dataclasses import fields
from pathlib import Path
from typing import Final

from jinja2 import TemplateError as JinjaError
from jinja2 import meta, nodes

from tocsin_alerts.documents import suggest
from tocsin_alerts.errors import Finding, TemplateError
from tocsin_alerts.message import Action, Alert, Drift, Example, Measure, Runbook, Segment
from tocsin_alerts.render import NAMES, Templates
from tocsin_alerts.sample_views import SAMPLES
from tocsin_alerts.sandbox import BudgetedEnvironment

SUFFIX: Final = ".j2"
_RECORDS: Final = {kind.__name__: kind for kind in (Action, Alert, Drift, Example, Measure, Runbook, Segment)}


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


def _read(environment: BudgetedEnvironment, name: str) -> list[Finding]:
    assert environment.loader  # noqa: S101 - the constructor demands one
    source, path, _ = environment.loader.get_source(environment, name)
    where = path or name
    try:
        tree = environment.parse(source, name, where)
        undeclared = meta.find_undeclared_variables(tree) - NAMES - set(environment.globals)
        environment.compile(source, name, where)
    except JinjaError as error:
        line = int(getattr(error, "lineno", 0) or 0)
        return [Finding(path=where, line=line, message=_explained(environment, str(error.message)))]
    return [
        Finding(path=where, line=line, message=f"unknown name {wrong!r}: {suggest(wrong, sorted(NAMES))}")
        for wrong in sorted(undeclared)
        for line in sorted({node.lineno for node in tree.find_all(nodes.Name) if node.name == wrong})
    ]


def _tried(templates: Templates) -> list[Finding]:
    """Render every message of the samples: a mistaken field shows only then."""
    found = []
    for view in SAMPLES:
        for name in ("subject.txt.j2", f"{view.transition}.txt.j2", f"{view.transition}.html.j2"):
            try:
                templates.render(name, view)
            except TemplateError as error:
                found += [_with_fields(finding) for finding in error.findings]
    return found


def _explained(environment: BudgetedEnvironment, message: str) -> str:
    kind, _, rest = message.partition(" named ")
    name = rest.partition("'")[2].partition("'")[0]
    if kind == "No filter":
        return f"unknown filter {name!r}: {suggest(name, sorted(environment.filters))}"
    if kind == "No test":
        return f"unknown test {name!r}: {suggest(name, sorted(environment.tests))}"
    return message


def _with_fields(finding: Finding) -> Finding:
    """Add the nearest field to Jinja's ``'Alert object' has no attribute 'valu'``."""
    owner, found, rest = finding.message.partition("' has no attribute '")
    kind = _RECORDS.get(owner.rpartition(".")[2].removeprefix("'").removesuffix(" object"))
    if not found or kind is None:
        return finding
    wrong = rest.rstrip("'")
    known = [field.name for field in fields(kind)]
    return Finding(path=finding.path, line=finding.line, message=f"unknown field {wrong!r}: {suggest(wrong, known)}")
