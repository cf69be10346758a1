"""What one new day costs the evaluators: every shipped one over a day's slots, and over 90 days, from rollups of N calls."""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from _report import Figure, arguments, report
from tocsin_alerts.evaluator import Evaluator, evaluate, load_evaluators
from tocsin_alerts.references import maintain
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOURLY = frozenset({"freshness", "new_category", "null_rate", "volume"})
BY_SEGMENT = {"min_n": 30}

# Twelve numbers and two categories; confidence that sinks slowly; one call in 200 lacks a field.
_CALLS = """
INSERT INTO ai_calls (project, use_case, started_at, duration_ns, call_id, model_version, served_by, weight, output_label,
    confidence, cost, currency, input_numbers, input_strings, input_nulls, segments, received_at, ingested_at)
SELECT 'default', 'digits', toDateTime64({{first}} + {{day}} * 86400, 9, 'UTC') + toIntervalMicrosecond(intDiv(number * 86400000000, {{calls}})) AS at,
    1000000 + rand(1) % 5000000, concat('{{day}}-', toString(number)), 'm1', 'model', 1, toString(rand(2) % 10),
    1 - pow(randCanonical(3), 3) * (0.5 + {{day}} / 1000), 0.0002, 'USD',
    map({numbers}),
    map('lang', ['en', 'de', 'fr', 'es'][1 + toUInt8(4 * pow(randCanonical(5), 2))], 'device', ['a', 'b', 'c'][1 + rand(4) % 3]) AS strings,
    if(rand(6) % 200 = 0, ['f3'], []), map('device', strings['device']), at, at
FROM numbers({{calls}})
""".format(numbers=", ".join(f"'f{i}', randNormal({i + 1} + {{day}} / 1000, {0.3 + i / 20}, {i})" for i in range(12)))

# Every fifth call is labelled; the model is as sure as it ought to be.
_LABELS = """
INSERT INTO outcomes (project, use_case, call_id, started_at, model_version, served_by, predicted_label, confidence, weight,
    segments, kind, source, outcome_id, observed_at, correct)
SELECT project, use_case, call_id, started_at, model_version, served_by, output_label, confidence, weight, segments,
    'ground_truth', 'labels', call_id, started_at, randCanonical(9) < confidence
FROM ai_calls WHERE cityHash64(call_id) % 5 = 0 AND toYYYYMM(started_at) = {month}
"""


def fill(folder: Path, *, calls: int, days: int) -> None:
    """Insert calls day by day, as they would arrive, and let the views roll them up."""
    database = Database.open(StoreAddress(path=folder))
    migrate(database, now=FIRST)
    for day in range(days):
        values = {"first": int(FIRST.timestamp()), "day": day, "calls": calls // days}
        sql = _CALLS
        for name, value in values.items():
            sql = sql.replace("{" + name + "}", str(value))
        database.command(sql)
    for month in sorted({(FIRST + day * DAY).strftime("%Y%m") for day in range(days)}):
        database.command(_LABELS.format(month=month))
    database.close()


def run(database: Database, evaluator: Evaluator, *, days: int, until: datetime, times: int) -> float:
    """Time one evaluator, in ms: the median of some runs after a first one."""
    step_s = 3600 if evaluator.name in HOURLY and days == 1 else 86_400
    extra = BY_SEGMENT if "min_n" in evaluator.params else {}
    took = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        evaluate(database, evaluator, since=until - days * DAY, until=until, step_s=step_s, extra=extra)
        took.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(took[1:] or took)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Fill in a process of its own, so that its memory is not counted; then measure."""
    parser = arguments("What one new day costs the evaluators.")
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--times", type=int, default=9, help="runs of each evaluator")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        fill(given.fill, calls=given.calls, days=given.days)
        return
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        command = [sys.executable, __file__, "--fill", folder, "--calls", str(given.calls), "--days", str(given.days)]
        subprocess.run(command, check=True)
        print(f"filled {given.calls:,} calls over {given.days} days in {time.perf_counter() - begun:.0f} s")
        report(
            f"Evaluators, {given.calls:,} calls", measure(Path(folder), days=given.days, times=given.times), given.json
        )


def measure(folder: Path, *, days: int, times: int) -> list[Figure]:
    """Freeze the reference, then time every evaluator over one day and over 90."""
    database = Database.open(StoreAddress(path=folder))
    before_mb = _peak_mb()
    for day in (28, 35):
        maintain(database, slot=FIRST + day * DAY)
    until = FIRST + days * DAY
    begun = time.perf_counter()
    maintain(database, slot=until)
    idle_ms = (time.perf_counter() - begun) * 1e3
    evaluators = load_evaluators()
    daily = {name: run(database, each, days=1, until=until, times=times) for name, each in evaluators.items()}
    peak_mb = _peak_mb() - before_mb
    begun_cpu_s = time.process_time()
    for each in evaluators.values():
        run(database, each, days=1, until=until, times=0)
    cpu_s = time.process_time() - begun_cpu_s
    many = [run(database, each, days=90, until=until, times=1) for each in evaluators.values()]
    chart_mb = _peak_mb() - before_mb
    database.close()
    always = sum(ms for name, ms in daily.items() if "min_n" not in evaluators[name].params)
    return [
        Figure(name="evaluators_wall_s", value=sum(daily.values()) / 1e3, unit="s", goal="<= 0.15"),
        Figure(name="evaluators_cpu_s", value=cpu_s, unit="s"),
        Figure(name="evaluators_peak_mb", value=peak_mb, unit="MB", goal="<= 200"),
        Figure(name="every_day_ms", value=always, unit="ms"),
        Figure(name="maintain_idle_ms", value=idle_ms, unit="ms"),
        Figure(name="ninety_days_s", value=sum(many) / 1e3, unit="s"),
        Figure(name="ninety_days_peak_mb", value=chart_mb, unit="MB"),
        *(Figure(name=f"{name}_ms", value=ms, unit="ms") for name, ms in sorted(daily.items())),
    ]


if __name__ == "__main__":
    main()
