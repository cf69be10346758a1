"""How long a page takes at ten million stored calls: from asking to its first byte, and to its last."""

import http.client
import multiprocessing
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from _console.crawl import crawl
from _console.scripts import fetching
from _report import Figure
from _rollups import DAYS, FIRST, write
from _up import up
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

CALLS = 10_000_000
USE_CASES = 20
_ROUNDS = 20
_VIEWS = ("ai_calls_1h_mv", "input_histogram_1h_mv")  # their tables are written by themselves
_RAW = """
INSERT INTO ai_calls (project, use_case, started_at, duration_ns, call_id, trace_id, model_version, served_by, weight, output_label, confidence,
    cost, currency, input_numbers, input_strings, sign, received_at, ingested_at)
SELECT 'default', concat('uc', toString(number % {use_cases})), toDateTime64({since}, 9, 'UTC') + toIntervalMicrosecond(number * {apart}) AS at,
    1000000 + rand(1) % 5000000, concat('r', toString(number)), hex(cityHash64(number)), 'm1', 'model', 1, toString(rand(2) % 10),
    1 - pow(randCanonical(3), 3) * 0.5, 0.0002, 'USD', map('f0', randCanonical(4), 'f1', randCanonical(5)), map('lang', ['en', 'de'][1 + rand(6) % 2]), 1, at, at
FROM numbers({begin}, {calls})
"""


def filled(folder: Path, *, calls: int = CALLS) -> None:
    """Write a store: rollups and labels of five weeks, and the calls of the last one; by a process that ends with its engine."""
    (folder / "data").mkdir(parents=True)
    made = multiprocessing.get_context("spawn").Process(target=_fill, args=(folder, calls))
    made.start()
    made.join()
    if made.exitcode:
        raise RuntimeError(f"expected the store to be filled, but its writer ended with {made.exitcode}")


def _fill(folder: Path, calls: int) -> None:
    place = folder / "data" / "store"
    database = Database.open(StoreAddress(path=place))
    migrate(database, now=FIRST)
    made = {view: str(database.rows(f"SHOW CREATE TABLE {view}")[0]["statement"]) for view in _VIEWS}
    database.close()
    write(place, calls=calls, use_cases=USE_CASES)
    database = Database.open(StoreAddress(path=place))
    since = int((FIRST + timedelta(days=DAYS - 7)).timestamp())
    apart, part = 7 * 86_400 * 1_000_000 // calls, 1_000_000
    for begin in range(0, calls, part):
        values = {
            "use_cases": USE_CASES,
            "since": since,
            "apart": apart,
            "begin": begin,
            "calls": min(part, calls - begin),
        }
        sql = _RAW
        for name, value in values.items():
            sql = sql.replace("{" + name + "}", str(value))
        database.command(sql)
    for statement in made.values():
        database.command(statement)
    database.close()


def speed(folder: Path) -> Iterator[Figure]:
    """Ask for each kind of page, over and over, each time anew."""
    filled(folder)
    with up(folder, "--clock", "data") as running:
        address = running.facts["api"]
        _settled(address)
        worst: list[tuple[float, float, str]] = []
        for path in crawl(fetching(address), of_each=1):
            first, whole = _timed(address, path)
            worst.append((whole, first, path))
            print(f"  {whole:7.0f} ms, first byte {first:7.0f} ms  {path[:120]}", flush=True)
    worst.sort(reverse=True)
    yield Figure(name="stored_calls", value=CALLS, unit="")
    yield Figure(name="pages_timed", value=len(worst), unit="")
    yield Figure(name="page_p95_median_page_ms", value=statistics.median(whole for whole, _, _ in worst), unit="ms")
    yield Figure(name="pages_over_300_ms", value=sum(whole > 300 for whole, _, _ in worst), unit="", goal="== 0")
    yield Figure(name="page_p95_slowest_page_ms", value=worst[0][0], unit="ms", goal="<= 300")
    yield Figure(
        name="page_first_byte_p95_slowest_page_ms", value=max(first for _, first, _ in worst), unit="ms", goal="<= 100"
    )


def _settled(address: str) -> None:
    """Wait until the past is evaluated: a page is not asked for while five weeks are caught up with."""
    fetch, before, deadline = fetching(address), "", time.monotonic() + 1_800
    while time.monotonic() < deadline:
        time.sleep(10)
        now = fetch("/healthz") and _through(fetch("/api/status"))
        if now == before:
            return
        before = now


def _through(status: str) -> str:
    return status.partition('"evaluated_through":')[2].partition(",")[0]


def _timed(address: str, path: str) -> tuple[float, float]:
    firsts, wholes = [], []
    for number in range(_ROUNDS):
        connection = http.client.HTTPConnection(address, timeout=60)
        began = time.perf_counter()
        mark = "&" if "?" in path else "?"
        connection.request("GET", f"{path}{mark}_={number}", headers={"accept": "text/html"})
        answer = connection.getresponse()
        answer.read(1)
        firsts.append(time.perf_counter() - began)
        answer.read()
        wholes.append(time.perf_counter() - began)
        connection.close()
    return _p95(firsts) * 1000, _p95(wholes) * 1000


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]
