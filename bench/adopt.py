"""What it costs to read calls out of an exporter's otel_traces: a turn that finds little, and a month that was there before.

    CLICKHOUSE_BINARY=... python bench/adopt.py [--json FILE] [--turns N]

Each insert is one batch of the exporter's, of which a twentieth are AI calls. Times are the wall's, on a machine that does nothing else
by intention; CPU is what the server says its queries took.
"""

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from _clickhouse import ClickHouse
from _report import Figure, arguments, report

ROOT = Path(__file__).resolve().parents[1]
SPANS = 5_000  # what the exporter's documentation advises an insert to have
CALLS = SPANS // 20
PAST = 200_000


def main() -> None:
    """Take every figure, print them, write them."""
    parser = arguments("What it costs to read calls out of an exporter's otel_traces.")
    parser.add_argument("--turns", type=int, default=30, help="that find one new batch each (30)")
    asked = parser.parse_args()
    binary = os.environ.get("CLICKHOUSE_BINARY")
    if not binary:
        sys.exit("needs a real ClickHouse server: set CLICKHOUSE_BINARY to its binary")
    with tempfile.TemporaryDirectory() as folder, ClickHouse.of(Path(binary), Path(folder)) as server:
        figures = taken(server.urls[0], asked.turns)
    report("What it costs to read calls out of an exporter's table", figures, asked.json)


def taken(url: str, turns: int) -> list[Figure]:
    """Adopt a table that is full, then read batch by batch what comes."""
    sys.path.insert(0, str(ROOT))
    from tests.collector.exporter_tables import Exported

    from tocsin_collector.adopt.adoption import Adopter
    from tocsin_collector.store.database import Database, StoreAddress
    from tocsin_collector.store.migrate import migrate

    database = Database.open(StoreAddress(url=url, database="tocsin"))
    migrate(database, now=datetime.now(UTC))
    adopter = Adopter(database, now=lambda: datetime.now(UTC))
    table = Exported(database, "otel")
    for number in range(PAST // SPANS):
        table.insert(table.traces, batch(table, number, at=datetime.now(UTC) - timedelta(days=number % 28 + 1)))
    began, cpu_s = time.perf_counter(), server_cpu_s(database)
    found = sum(
        rows for _, rows in adopter.adopt(adopter.plan(table.traces, project="default", since=None), by="bench")
    )
    past_s, past_cpu_s = time.perf_counter() - began, server_cpu_s(database) - cpu_s
    idle, busy = [], []
    for turn in range(turns + 2):
        table.insert(table.traces, batch(table, PAST // SPANS + turn))
        for times in (busy, idle):
            began = time.perf_counter()
            found += adopter.turn()
            times.append((time.perf_counter() - began) * 1000)
    [row] = database.rows("SELECT toInt64(sum(calls)) AS calls FROM ai_calls_1h")
    database.close()
    made = (PAST // SPANS + turns + 2) * CALLS
    return [
        Figure(name="past_spans", value=PAST, unit="spans"),
        Figure(name="past_read_s", value=past_s, unit="s"),
        Figure(name="past_server_cpu_s", value=past_cpu_s, unit="s"),
        Figure(name="turn_p50_ms", value=statistics.median(busy[2:]), unit="ms"),
        Figure(name="turn_of_nothing_p50_ms", value=statistics.median(idle[2:]), unit="ms"),
        Figure(name="calls_missing", value=made - row["calls"], unit="calls", goal="== 0"),
        Figure(name="calls_read_twice", value=found - made, unit="calls", goal="== 0"),
    ]


def server_cpu_s(database: object) -> float:
    """Say what all queries of this server have taken."""
    sql = "SELECT value / 1e6 AS s FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'"
    return float(database.rows(sql)[0]["s"])  # type: ignore[attr-defined]


def batch(table: object, turn: int, *, at: datetime | None = None) -> list[dict[str, object]]:
    """Make one batch: requests, and among them AI calls of the usual size."""
    when = at or datetime.now(UTC)
    call = {
        "gen_ai__operation__name": "chat", "gen_ai__provider__name": "openai", "gen_ai__request__model": "gpt-4o",
        "gen_ai__usage__input_tokens": 812, "gen_ai__usage__output_tokens": 112, "tocsin__use_case": "support-bot",
        "tocsin__input__length": 3100, "tocsin__input__language": "en", "tocsin__confidence": 0.87,
    }  # fmt: skip
    request = {"http__request__method": "GET", "http__route": "/items/{id}", "http__response__status_code": 200}
    return [
        table.span(turn * SPANS + n + 1, when, **(call if n % 20 == 0 else {**request, "url__path": f"/items/{n}"}))  # type: ignore[attr-defined]
        for n in range(SPANS)
    ]


if __name__ == "__main__":
    main()
