"""docs/fits/existing-traces.md, done on a real server by a user with the rights it names: calls, labels, cost and a page out of somebody's table."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from bench._clickhouse import ClickHouse
from tests.collector.exporter_tables import Exported
from tests.docs.fences import commands, fences
from tests.end_to_end.conftest import Up, _wait_for, running

from tocsin_collector.store.database import Database, StoreAddress

pytestmark = pytest.mark.server
PAGE = "fits/existing-traces.md"
DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "clickhouse"
DAYS, PER_DAY = 35, 40
PLAN = """
use_case: ticket-triage
owner: ana
quality: {floor: 0.9}
budget: {per_day: 1, currency: USD}
labels: {delay: 1d}
"""


@pytest.fixture
def server(clickhouse_binary: Path, tmp_path: Path) -> Iterator[ClickHouse]:
    """A server of this test's own: the page's names are its names."""
    with ClickHouse.of(clickhouse_binary, tmp_path / "server") as one:
        yield one


@pytest.fixture
def otel(server: ClickHouse) -> Iterator[Exported]:
    """What a Collector has written for five weeks: a classifier that got worse three days ago, and the labels."""
    database = Database.open(StoreAddress(url=server.urls[0], database="default"))
    made = Exported(database, "otel")
    chance, now = random.Random(7), datetime.now(UTC)
    spans, labels = [], []
    for number in range(1, DAYS * PER_DAY + 1):
        at = now - timedelta(minutes=(DAYS * PER_DAY - number) * 24 * 60 / PER_DAY + 1)
        said = chance.choice(["billing", "hardware"])
        is_right = chance.random() < (0.96 if now - at > timedelta(days=4) else 0.5)
        spans.append(
            made.span(
                number, at, tocsin__use_case="ticket-triage", tocsin__task="classification", tocsin__output__label=said,
                tocsin__confidence=0.9, tocsin__cost__amount=0.05, tocsin__cost__currency="USD", tocsin__input__length=number % 90,
            )
        )  # fmt: skip
        truth = said if is_right else "other"
        labels.append(
            made.outcome(number, at, tocsin__call__id=f"{number:032x}{number:016x}", tocsin__outcome__label=truth)
        )
    made.insert(made.traces, spans)
    made.insert(made.logs, labels)
    yield made
    database.close()


def test_the_page_makes_alerts_of_a_table_that_was_there(server: ClickHouse, otel: Exported, tmp_path: Path) -> None:
    """Whoever follows it, as a user who may read that table and nothing else of it, hears what the table knew."""
    folder = tmp_path / "work"
    _administer(server)
    (folder / "use_cases").mkdir(parents=True)
    (folder / "use_cases" / "ticket-triage.yaml").write_text(PLAN)
    [said] = fences(PAGE, "yaml", tested_by=__file__)
    settings = yaml.safe_load(said)
    settings["store"] = {**settings["store"], "url": f"http://127.0.0.1:{server.nodes[0].http}"}
    (folder / "tocsin.yaml").write_text(yaml.safe_dump(settings))
    look, adopt, up = commands(PAGE, tested_by=__file__)

    planned = json.loads(_tocsin(folder, *look[1:], "--json"))
    adopted = json.loads(_tocsin(folder, *adopt[1:], "--json"))

    assert [each["rows"] for each in planned["would_adopt"]] == [DAYS * PER_DAY] * 2
    assert [each["read"] for each in adopted["adopted"]] == [DAYS * PER_DAY] * 2
    assert up == ["tocsin", "up"]
    os.environ["CLICKHOUSE_PASSWORD"] = "hunter2"
    try:
        with running(folder) as started:
            _it_pages(started, otel)
    finally:
        del os.environ["CLICKHOUSE_PASSWORD"]


def _it_pages(up: Up, otel: Exported) -> None:
    fired = "SELECT DISTINCT rule FROM alert_events WHERE to_state = 'firing'"
    wanted = {"accuracy-below-floor", "cost-over-budget"}
    _wait_for(lambda: wanted <= {row[0] for row in up.query(fired)}, what="a page and a ticket")
    otel.insert(otel.traces, [otel.span(DAYS * PER_DAY + 1, datetime.now(UTC), tocsin__use_case="ticket-triage")])
    _wait_for(lambda: up.query("SELECT count() FROM calls") == [[DAYS * PER_DAY + 1]], what="a call made just now")

    [status] = up.tocsin("status", code=1)["use_cases"]

    assert (status["verdict"], status["calls"]) == ("wrong", DAYS * PER_DAY + 1)
    assert up.query("SELECT count() FROM otel_traces") == [[0]], "no span was copied"
    [[cost]] = up.query("SELECT toFloat64(sum(known_cost)) FROM cost_daily")
    assert cost == pytest.approx(DAYS * PER_DAY * 0.05)


def _administer(server: ClickHouse) -> None:
    """Do what an administrator does once: our users, and the page's grant."""
    admin = Database.open(StoreAddress(url=server.urls[0], database="tocsin"))
    text = (DEPLOY / "users.sql").read_text(encoding="utf-8")
    [grant] = fences(PAGE, "sql", tested_by=__file__)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    roles = body.split("CREATE USER")[0]
    user = "CREATE USER tocsin IDENTIFIED WITH plaintext_password BY 'hunter2'; GRANT tocsin_evaluator TO tocsin"
    for sql in filter(None, (each.strip() for each in f"{roles};\n{grant};\n{user}".split(";"))):
        admin.command(sql)
    admin.close()


def _tocsin(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tocsin_console", *words],
        cwd=folder,
        env={**os.environ, "CLICKHOUSE_PASSWORD": "hunter2", "TOCSIN_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
