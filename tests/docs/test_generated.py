"""The pages that docs/generate.py writes: as committed, whole, and from what the product does."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.databases import Databases

import generate
from generating.configuration import FLAGS, flags_of_up
from generating.tables import tables_page
from tocsin_alerts.rules import SHIPPED
from tocsin_console import config
from tocsin_console.schemas import schema
from tocsin_console.variables import OTHERS, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
SERVER = ("alerts/tocsin_alerts", "collector_service/tocsin_collector", "console/tocsin_console")
# The SDK reads these, and they are in its own table; or tocsin sets them for a process that it starts.
ELSEWHERE = {"TOCSIN_ENDPOINT", "TOCSIN_GUARD_ENDPOINT", "TOCSIN_INSTRUMENT", "TOCSIN_RETRAINING_RUN", "TOCSIN_RUN_PID", "TOCSIN_USE_CASE"}  # fmt: skip


@pytest.fixture(scope="module")
def written(databases: Databases) -> Mapping[str, str]:
    """Every page as the product says it now."""
    with databases.one() as database:
        return {name: write() for name, write in generate.pages(lambda: tables_page(database)).items()}


def test_the_committed_pages_are_what_the_product_says(written: Mapping[str, str]) -> None:
    """Last month's keys in a reference are worse than none: ``python docs/generate.py`` writes them anew."""
    assert generate.differing(written) == []


def test_a_page_is_one_title_without_html_whose_links_lead_somewhere(written: Mapping[str, str]) -> None:
    """What Sphinx would refuse is known here, in a second."""
    for name, text in written.items():
        bare = re.sub(r"`+[^`]+`+", "", text)
        assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) == 1, name
        assert not re.search(r"(?<!\\)<\w", bare), name
        for link, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", bare):
            assert (generate.FOLDER / link).exists() or link.removesuffix(".md") in written, f"{name} links to {link}"
            linked = written.get(link.removesuffix(".md"), text)
            assert not anchor or re.search(rf"^##+ {anchor}$", linked, flags=re.MULTILINE), f"{name}: {link}#{anchor}"
        for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, f"{name}: a table of {widths} columns: {block[:200]}"


def test_every_shipped_rule_stands_on_the_page(written: Mapping[str, str]) -> None:
    """Somebody is woken by it, and looks it up."""
    missing = [path.stem for path in SHIPPED.glob("*.yaml") if f"### {path.stem}\n" not in written["rules"]]

    assert missing == []


def test_every_variable_that_the_server_reads_is_on_the_page() -> None:
    """A switch that nobody can find is none; add it to tocsin_console/variables.py."""
    read = {
        node.value
        for folder in SERVER
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"TOCSIN_[A-Z_]+", node.value)
    }

    assert read - ELSEWHERE == {*VARIABLES.values(), *OTHERS}


def test_every_flag_of_up_stands_beside_its_key() -> None:
    """What goes before a file has to be seen where the file's key is looked up."""
    assert set(FLAGS.values()) == flags_of_up()


def test_the_addresses_on_the_page_are_those_that_up_listens_on() -> None:
    """They stand in a sentence, which no schema holds."""
    said = {
        name: text["description"] for name, text in schema("tocsin")["$defs"]["ListenSection"]["properties"].items()
    }

    for key in ("grpc", "http", "api", "guard"):
        assert f"`{getattr(config, key.upper())}`" in said[key]
    assert f"`{config.CLICKHOUSE_HTTP}`" in said["clickhouse"]
