"""What a file of a million labels costs: `tocsin outcomes load` against a running `tocsin up`, the first time and again."""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing import Process
from pathlib import Path
from typing import Any

from _report import Figure, arguments, report
from _up import up
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

# One call for each label, over thirty days until now, found by its caller's key.
_CALLS = """
INSERT INTO ai_calls (project, use_case, started_at, call_id, call_key, trace_id, span_id, model_version, served_by, weight, output_label,
    sign, received_at, ingested_at)
SELECT 'default', 'triage', toDateTime64({now}, 9, 'UTC') - toIntervalSecond(number % 2592000) AS at, hex(MD5(toString(number))) AS id, id, id, left(id, 16),
    'm1', 'model', 1, ['billing', 'hardware'][1 + number % 2], 1, at, now64(3, 'UTC')
FROM numbers({rows})
"""
_KEYS = """
INSERT INTO call_keys (project, business_key, started_at, call_id, ingested_at)
SELECT 'default', concat('order-', toString(number)), toDateTime64({now}, 9, 'UTC') - toIntervalSecond(number % 2592000), hex(MD5(toString(number))), now64(3, 'UTC')
FROM numbers({rows})
"""


def fill(folder: Path, rows: int) -> None:
    """Store the calls, as if they had arrived."""
    database = Database.open(StoreAddress(path=folder / "data" / "store"))
    now = datetime.now(UTC)
    migrate(database, now=now)
    for sql in (_CALLS, _KEYS):
        database.command(sql.format(rows=rows, now=int(now.timestamp())))
    database.close()


def write(file: Path, rows: int) -> None:
    """Write a file in which every label is right."""
    with file.open("w", encoding="utf-8") as labels:
        labels.write("order,label,observed_at,author\n")
        for number in range(rows):
            labels.write(f"order-{number},{('billing', 'hardware')[number % 2]},2030-01-01T00:00:00Z,ana\n")


def load(folder: Path, api: str) -> tuple[dict[str, Any], float, float]:
    """Load the file; returns the report, seconds and the loader's peak of memory in MB."""
    command = [sys.executable, "-m", "tocsin_console", "outcomes", "load", "labels.csv", "--key", "order", "--json"]
    began = time.monotonic()
    with (folder / "report.json").open("w") as out:
        process = subprocess.Popen([*command, "--api", api], cwd=folder, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    said = json.loads((folder / "report.json").read_text())
    if process.returncode:
        sys.exit(f"the load ended with {process.returncode}: {said}")
    return said, took, used.ru_maxrss / 1024


def main() -> None:
    """Measure it."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "data").mkdir()
        filling = Process(target=fill, args=(folder, asked.rows))  # only one process may open the folder
        filling.start()
        filling.join()
        write(folder / "labels.csv", asked.rows)
        with up(folder) as running:
            api = running.facts["api"]
            first, first_s, peak_mb = load(folder, api)
            _wait_until_loaded(folder, api, asked.rows)
            again, again_s, _ = load(folder, api)
            up_mb = _peak_mb(running.pid)
    figures = [
        Figure(name="loaded_rows_per_s", value=asked.rows / first_s, unit="rows/s"),
        Figure(name="again_rows_per_s", value=asked.rows / again_s, unit="rows/s"),
        Figure(name="loader_peak_mb", value=peak_mb, unit="MB", goal="<= 400"),
        Figure(name="up_peak_mb", value=up_mb, unit="MB"),
        Figure(name="unmatched", value=first["unmatched"], unit="rows", goal="== 0"),
        Figure(name="recorded_again", value=again["recorded"], unit="rows", goal="== 0"),
    ]
    report(f"{asked.rows:,} labels by key, of {asked.rows:,} calls", figures, asked.json)


def _wait_until_loaded(folder: Path, api: str, rows: int) -> None:
    sql = "SELECT count() AS n FROM outcomes_waiting"
    command = [sys.executable, "-m", "tocsin_console", "query", sql, "--json", "--api", api]
    for _ in range(600):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        if json.loads(done.stdout)[0]["n"] >= rows:
            return
        time.sleep(0.5)
    sys.exit("the outcomes were acknowledged and did not arrive within five minutes")


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
