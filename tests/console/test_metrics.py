"""Self-telemetry: what Prometheus scrapes, and whether a balancer may send traffic here."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from tests.console.conftest import LOOP, NOW, Running

from generating.metrics import families
from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.load.fleet import Member
from tocsin_collector.load.tally import CollectorStats, Tally
from tocsin_console.api.collector_metrics import add_collector
from tocsin_console.api.exposition import Text
from tocsin_console.api.health import readiness
from tocsin_console.api.metrics import exposition
from tocsin_console.cli.look import _describe
from tocsin_console.parts import Parts
from tocsin_console.snapshot import snapshot
from tocsin_console.wire import document

ROOT = Path(__file__).resolve().parents[2]


def scraped(running: Running) -> str:
    """Scrape as Prometheus does."""
    with urllib.request.urlopen(f"http://{running.address}/metrics") as answer:
        return str(answer.read().decode())


def test_promtool_finds_nothing_to_say(running: Running) -> None:
    """Names, units, types and help are what the world's dashboards expect."""
    promtool = os.environ.get("TOCSIN_PROMTOOL") or shutil.which("promtool")
    if not promtool:
        pytest.skip("needs promtool: set TOCSIN_PROMTOOL to it, or install Debian's prometheus")

    said = subprocess.run(
        [promtool, "check", "metrics"], input=scraped(running), capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_the_format_holds_without_promtool(running: Running) -> None:
    """Each metric has one HELP and one TYPE before its series, and only counters end in _total."""
    kinds: dict[str, str] = {}
    for line in scraped(running).splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("#"):
            assert re.fullmatch(r'[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [-+.0-9eE]+', line), line
            assert re.split(r"[{ ]", line)[0] in kinds
    assert all((kind == "counter") == name.endswith("_total") for name, kind in kinds.items()), kinds
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "tocsin_ledger_balances"} <= set(kinds)


def test_every_metric_that_is_scraped_stands_on_its_page(running: Running) -> None:
    """Somebody looks up what a dashboard shows; ``python docs/generate.py`` writes the page of what it knows of."""
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}

    found = families(scraped(running))

    assert len(found) > 30
    for name, family in found.items():
        assert f"| {family.kind}" in rows[name]
        assert all(f"`{label}`" in rows[name] for label in family.labels), name


def test_every_number_that_the_collector_counts_is_scraped() -> None:
    """Also one that it gains tomorrow."""
    stats: dict[str, Any] = {field.name: getattr(Tally().snapshot(), field.name) for field in fields(CollectorStats)}
    text = Text()

    add_collector(text, {**stats, "connections_refused": 3, "fsync_wait_s": 0.5}, spool_max_bytes=10, lag_s=7.0)

    said = "\n".join(text.lines)
    for name, value in stats.items():
        if isinstance(value, int):
            kind, fate = name.rpartition("_")[2], name.rpartition("_")[0]
            counted = f'tocsin_collector_items_total{{kind="{kind}",fate="{fate}"}}' in said
            waits = fate == "waiting" and f'tocsin_collector_waiting_items{{kind="{kind}"}}' in said
            assert counted or waits or re.search(rf"^tocsin_collector_{name}(_total)? ", said, re.MULTILINE), name
    assert "tocsin_collector_connections_refused_total 3" in said
    assert "tocsin_collector_fsync_wait_seconds 0.5" in said
    assert "tocsin_collector_oldest_waiting_seconds 0" in said


def test_a_silent_collector_is_told_everywhere(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """What it holds is in no slot that was judged meanwhile: whoever looks anywhere must see it."""
    fleet = [
        Member(name=name, complete_to=NOW, data_complete_to=None, heard_at=NOW, is_live=name == "a", unfit="")
        for name in "abc"
    ]
    state = snapshot(replace(running.parts, collectors=lambda: fleet))

    _describe(json.loads(document(state)))

    assert "\ntocsin_collectors_silent 2\n" in exposition(state)
    assert "silent    collector b since 2026-03-02" in capsys.readouterr().out


def test_a_label_cannot_break_the_format() -> None:
    """A use case's name comes from outside."""
    text = Text()

    text.add("x", "gauge", "Line\nbreak.", [({"a": 'q"\\\n'}, 1)])

    assert text.lines == ["# HELP x Line\\nbreak.", "# TYPE x gauge", 'x{a="q\\"\\\\\\n"} 1']


class _Silent:
    """A book whose store does not answer."""

    def ask(self, _name: str) -> Any:
        """Fail as the store does."""
        raise StoreUnavailable("the store did not answer: timeout")


def _stuck(parts: Parts) -> Parts:
    return replace(
        parts,
        collector_stats=lambda: {"waiting_spans": 5, "waiting_requests": 1, "last_error": "disk full"},
        watermark=lambda: {"complete_to": NOW - timedelta(minutes=10)},
    )


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda parts: replace(parts, book=_Silent()), "store: does not answer"),
        (_stuck, "loader: 5 items wait, the oldest for 600 s: disk full"),
        (
            lambda parts: replace(parts, loops=lambda: {"engine": replace(LOOP, is_alive=False)}),
            "engine loop: has ended",
        ),
        (
            lambda parts: replace(
                parts, loops=lambda: {"engine": replace(LOOP, consecutive_failures=3, last_error="x")}
            ),
            "engine loop: failed 3 times in a row: x",
        ),
        (
            lambda parts: replace(parts, loops=lambda: {"engine": replace(LOOP, since_turn_s=900.0)}),
            "engine loop: has not turned for 900 s",
        ),
        (
            lambda parts: replace(parts, config=replace(parts.config, data_dir=parts.config.data_dir / "gone")),
            "spool: cannot be written",
        ),
    ],
)
def test_what_cannot_work_is_not_ready_and_says_why(
    running: Running, break_it: Callable[[Parts], Parts], reason: str
) -> None:
    """A balancer takes it out; a person reads the reason."""
    found = readiness(break_it(running.parts))

    assert found["ready"] is False
    assert [said for said in found["reasons"] if said.startswith(reason)]


def test_what_works_is_ready(running: Running) -> None:
    """With each look by name."""
    with urllib.request.urlopen(f"http://{running.address}/readyz") as answer:
        found: Mapping[str, Any] = json.loads(answer.read())

    assert found["ready"] is True
    assert set(found["checks"]) == {"store", "spool", "loader", "engine loop"}
    assert not list(running.parts.config.data_dir.glob(".ready-*"))


def test_a_waiting_spool_that_moves_is_ready(running: Running) -> None:
    """Load alone is no reason to be taken out."""
    parts = replace(running.parts, collector_stats=lambda: {"waiting_spans": 5}, watermark=lambda: {"complete_to": NOW})

    assert readiness(parts)["ready"] is True


def test_healthz_answers_while_readyz_does_not(running: Running) -> None:
    """A process that waits for its store must not be killed for it."""
    shutil.rmtree(running.parts.config.data_dir)
    with urllib.request.urlopen(f"http://{running.address}/healthz") as answer:
        assert json.loads(answer.read())["status"] == "ok"

    with pytest.raises(HTTPError) as refusal:
        urllib.request.urlopen(f"http://{running.address}/readyz")

    assert refusal.value.code == 503
    refusal.value.close()
    running.parts.config.data_dir.mkdir()
