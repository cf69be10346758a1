"""The reference pages against the code: no variable and no public name without a word about it."""

import ast
import inspect
import re
from pathlib import Path

import opentelemetry.sdk.environment_variables as opentelemetry_own

import tocsin

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "instrumentation"
SDK = ROOT / "instrumentation" / "tocsin"
INTERNAL = {"TOCSIN_RUN_PID"}  # from `tocsin run` to the process that it becomes
_VARIABLE = re.compile(r"(?:TOCSIN|OTEL)_[A-Z_]+[A-Z]")


def read_by_the_code() -> set[str]:
    """Every environment variable that the SDK names outside of its docstrings."""
    found = set()
    for file in [*SDK.rglob("*.py"), ROOT / "console" / "tocsin_console" / "run_verb.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _VARIABLE.fullmatch(node.value):
                found.add(node.value)
    return found - INTERNAL


def in_the_table() -> set[str]:
    """Every variable in a first column of the page."""
    text = (PAGES / "configuration.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\|([^|]*)\|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in _VARIABLE.findall(cell)}


def test_every_variable_that_the_sdk_reads_is_in_the_table() -> None:
    """A switch that nobody can find is none; add the missing ones to docs/instrumentation/configuration.md."""
    assert sorted(read_by_the_code() - in_the_table()) == []


def test_every_variable_in_the_table_is_read() -> None:
    """By us, or by the OpenTelemetry SDK under us."""
    theirs = {name for name in dir(opentelemetry_own) if name.startswith("OTEL_")}
    exporters = {f"OTEL_{signal}_EXPORTER" for signal in ("TRACES", "METRICS", "LOGS")}

    assert sorted(in_the_table() - read_by_the_code() - theirs - exporters) == []


def test_every_argument_of_init_is_in_the_table() -> None:
    """The same settings, said in code."""
    text = (PAGES / "configuration.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\|[^|]*\|([^|]*)\|", text, flags=re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert named - {"Argument"} == set(inspect.signature(tocsin.init).parameters)


def test_every_public_name_is_on_some_page() -> None:
    """`tocsin.NAME`, as a reader would search for it, or inside one of the code blocks."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))

    missing = [name for name in tocsin.__all__ if not re.search(rf"\btocsin\.{name}\b", text)]

    assert missing == []


def test_every_page_is_in_the_index_and_every_link_leads_somewhere() -> None:
    """The index is how a reader finds the one line of their library."""
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", index))
    pages = {page.name for page in PAGES.glob("*.md")} - {"index.md"}

    assert pages - linked == set()
    for page in PAGES.glob("*.md"):
        for link in re.findall(r"\]\(([^)#\s]+\.md)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
