"""What one new day costs the evaluators: all that run by default, for a hundred use cases with N calls in the last week.

With ``--use-cases 1`` the calls are loaded through the views, over ``--days``, and each evaluator is also timed by itself and
over 90 days. Otherwise the rollups are written; ``written_to_loaded`` says how they compare with loaded ones.
"""

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
from _rollups import DAYS, compare, write
from tocsin_alerts.evaluator import Evaluator, evaluate, load_evaluators
from tocsin_alerts.jobs import answer, list_jobs
from tocsin_alerts.references import maintain
from tocsin_alerts.rules import load_rules
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOURLY = frozenset({"error_rate", "freshness", "new_category", "null_rate", "type_change", "volume"})
GIVEN = {"min_n": 30, "allowance": 0.005, "short_h": 1, "long_h": 6}  # as rules give them

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
    extra = {name: value for name, value in GIVEN.items() if name in evaluator.params}
    took = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        evaluate(database, evaluator, since=until - days * DAY, until=until, step_s=step_s, extra=extra)
        took.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(took[1:] or took)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _now_mb() -> float:
    """Forget the peak so far (freezing references has one of its own), and give what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def _peak_since_mb() -> float:
    """Read the peak since :func:`_now_mb`."""
    said = Path("/proc/self/status").read_text(encoding="ascii")
    return int(said.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Fill in a process of its own, so that its memory is not counted; then measure."""
    parser = arguments("What one new day costs the evaluators.")
    parser.add_argument(
        "--calls", type=int, default=10_000_000, help="in the last week; with one use case, over all days"
    )
    parser.add_argument("--use-cases", type=int, default=100)
    parser.add_argument("--days", type=int, default=100, help="with one use case")
    parser.add_argument("--times", type=int, default=9, help="runs of each evaluator, or of all of them")
    parser.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill and given.use_cases > 1:
        write(given.fill, calls=given.calls, use_cases=given.use_cases)
        return
    if given.fill:
        fill(given.fill, calls=given.calls, days=given.days)
        return
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        asked = {"--calls": given.calls, "--days": given.days, "--use-cases": given.use_cases}
        said = [str(word) for pair in asked.items() for word in pair]
        subprocess.run([sys.executable, __file__, "--fill", folder, *said], check=True)
        print(f"filled {given.calls:,} calls in {time.perf_counter() - begun:.0f} s", flush=True)
        if given.use_cases > 1:
            figures = measure_all(Path(folder), times=given.times)
        else:
            figures = measure(Path(folder), days=given.days, times=given.times)
        report(f"Evaluators, {given.calls:,} calls of {given.use_cases} use cases", figures, given.json)


def measure_all(folder: Path, *, times: int) -> list[Figure]:
    """Freeze the references, then answer all jobs that are due at a midnight, as the engine does: with two clients."""
    database = Database.open(StoreAddress(path=folder))
    maintain(database, slot=FIRST + 28 * DAY)
    until = FIRST + DAYS * DAY
    evaluators = load_evaluators()
    jobs = list_jobs(load_rules(evaluators=evaluators, query=database), evaluators, keep_offset=False)
    queries = (database, database.sibling())
    kept = database.rows(
        "SELECT (SELECT count() FROM input_histogram_1h) AS cells, (SELECT count() FROM ai_calls) AS calls"
    )[0]
    before_mb, walls, cpus, took, samples = _now_mb(), [], [], {}, 0
    for _ in range(times + 1):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        answers = answer(queries, {job.name: [until] for job in jobs}, jobs, evaluate)
        walls.append(time.perf_counter() - begun)
        cpus.append(time.process_time() - begun_cpu)
        for job in jobs:
            if answers[job.name].error:
                raise SystemExit(f"{job.name} failed: {answers[job.name].error}")
            took.setdefault(job.source.name, []).append(answers[job.name].duration_ms)
        samples = sum(len(each) for found in answers.values() for each in found.by_slot.values())
    peak_mb = _peak_since_mb() - before_mb
    rows_ratio, sum_ratio = compare(database)
    database.close()
    return [
        Figure(name="evaluators_wall_s", value=statistics.median(walls[1:]), unit="s", goal="<= 1"),
        Figure(name="evaluators_wall_best_s", value=min(walls), unit="s"),
        Figure(name="evaluators_cpu_s", value=statistics.median(cpus[1:]), unit="s"),
        Figure(name="evaluators_peak_mb", value=peak_mb, unit="MB", goal="<= 400"),
        Figure(name="evaluators", value=len(took), unit=""),
        Figure(name="samples", value=samples, unit=""),
        Figure(name="histogram_cells", value=kept["cells"], unit=""),
        Figure(name="written_to_loaded_cells", value=rows_ratio, unit="x"),
        Figure(name="written_to_loaded_values", value=sum_ratio, unit="x"),
        *(
            Figure(name=f"{name}_ms", value=statistics.median(each[1:]), unit="ms")
            for name, each in sorted(took.items())
        ),
    ]


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
