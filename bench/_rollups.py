"""Rollups of many calls, written as they would be: ten million calls through the views would take the day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 35  # four weeks of reference, of which seven hours hold histograms, and the week that is judged
GENERATIVE = 20  # use cases of a hundred, that have sessions, users and answers in words
LABELS_A_WEEK = 1_000

# What lies in a cell: a bell over the bins, rounded up or down by chance so that thin tails stay. Eight of twelve numbers are
# narrow, four as wide as prices or lengths are.
_SHAPES = """
SELECT 'number' AS kind, concat('f', toString(number)) AS field, if(number < 8, 12, 50) AS width, 2100 AS middle, 4 * width AS reach FROM numbers(12)
UNION ALL SELECT 'confidence', '', 40, 1750, 160
UNION ALL SELECT 'latency', '', 20, 2250, 80
"""
_BELLS = """
INSERT INTO input_histogram_1h (project, use_case, kind, field, hour, model_version, prompt_version, segment_name, segment_value, bin, category, n)
SELECT 'default', concat('uc', toString(u)), kind, field, at, 'm1', '', '', '', toInt16(middle + b), '',
    toInt64(floor({calls} * exp(-0.5 * pow(b / width, 2)) / (width * 2.50663) + randCanonical())) AS n
FROM (SELECT number AS u FROM numbers({use_cases})) AS cases CROSS JOIN ({hours}) AS hours CROSS JOIN ({shapes}) AS shapes
ARRAY JOIN range(-reach, reach) AS b
WHERE n > 0
"""
_NAMES = """
INSERT INTO input_histogram_1h (project, use_case, kind, field, hour, model_version, prompt_version, segment_name, segment_value, bin, category, n)
SELECT 'default', concat('uc', toString(u)), cell.1, cell.2, at, 'm1', '', '', '', 0, cell.3, toInt64(floor({calls} * cell.4 + randCanonical())) AS n
FROM (SELECT number AS u FROM numbers({use_cases})) AS cases CROSS JOIN ({hours}) AS hours
ARRAY JOIN arrayConcat(
    [('category', 'lang', 'en', 0.5), ('category', 'lang', 'de', 0.25), ('category', 'lang', 'fr', 0.25),
        ('category', 'device', 'a', 0.4), ('category', 'device', 'b', 0.3), ('category', 'device', 'c', 0.3), ('null', 'f3', '', 0.005)],
    arrayMap(label -> ('output', '', toString(label), 0.1), range(10))) AS cell
WHERE n > 0
"""
_CALLS = """
INSERT INTO ai_calls_1h (project, use_case, hour, model_version, prompt_version, segment_name, segment_value, served_by, currency, calls, probes,
    errors, retries, unpriced, confident, input_tokens, output_tokens, cost)
SELECT 'default', concat('uc', toString(u)), at, 'm1', '', '', '', 'model', 'USD', {calls} AS rows, 0, intDiv(rows, 200), intDiv(rows, 50), 0, rows,
    100 * rows, if(u < {generative}, 80 * rows, 0), 0.0002 * rows
FROM (SELECT number AS u FROM numbers({use_cases})) AS cases CROSS JOIN (SELECT toDateTime({first} + 3600 * number, 'UTC') AS at FROM numbers({hours_of_all})) AS hours
"""
# The raw calls of the hours that bounded evaluators look at, and no others: they are chosen as the evaluators choose.
_NUMBERS = ", ".join(f"'f{i}', exp(randNormal(2, {0.24 if i < 8 else 1}, {i}))" for i in range(12))
_RAW = """
INSERT INTO ai_calls (project, use_case, started_at, duration_ns, call_id, model_version, served_by, weight, output_label, output_text, confidence,
    session_id, user_id, input_numbers, input_strings, sign, received_at, ingested_at)
SELECT 'default', use_case, hour + toIntervalMicrosecond(intDiv(i * 3600000000, rows)) AS at, 1000000, concat(toString(at), '-', toString(i)), 'm1', 'model', 1,
    if(worded, '', toString(i % 10)), if(worded, concat('The answer to this is with you, for case ', toString(rand(1)), repeat(' and that', 20 + i % 40)), ''),
    1 - pow(randCanonical(3), 3) * 0.5, if(worded, concat('s', toString(rand(4) % intDiv(rows, 3))), ''), if(worded, concat('u', toString(rand(5) % 5000)), ''),
    map({numbers}), map('lang', 'en', 'device', ['a', 'b', 'c'][1 + i % 3]), 1, at, at
FROM
(
    SELECT use_case, hour, rows, toUInt32(substring(use_case, 3)) < {generative} AS worded
    FROM
    (
        SELECT use_case, hour, calls AS rows, toUnixTimestamp(hour) AS at_s,
            sum(rows) OVER (PARTITION BY use_case, intDiv(at_s, 86400) ORDER BY cityHash64(at_s % 86400), hour) - rows AS by_day,
            sum(rows) OVER (PARTITION BY use_case, intDiv(at_s - {week}, 604800) ORDER BY cityHash64((intDiv(at_s, 3600) + 72) % 168), hour) - rows AS by_week
        FROM ai_calls_1h WHERE hour >= toDateTime({until} - 21 * 86400, 'UTC')
    )
    WHERE at_s >= {until} - 2 * 86400 AND by_day < 2000 OR worded AND (at_s >= {until} - 9 * 86400 AND by_day < 5000 OR by_week < 10000)
)
ARRAY JOIN range(toUInt32(rows)) AS i
"""
_LABELS = """
INSERT INTO outcomes (project, use_case, call_id, started_at, model_version, served_by, predicted_label, confidence, weight, kind, source, outcome_id, observed_at, correct)
SELECT 'default', concat('uc', toString(number % {use_cases})), concat('l', toString(number)), toDateTime64({since}, 9, 'UTC') + toIntervalSecond(rand(1) % {seconds}) AS at,
    'm1', 'model', '1', 1 - pow(randCanonical(3), 3) * 0.5 AS sure, 1, 'ground_truth', 'labels', toString(number), at, randCanonical(9) < sure
FROM numbers({labels})
"""


def write(folder: Path, *, calls: int, use_cases: int) -> None:
    """Write the rollups of calls in the last of five weeks, and of a reference before it."""
    database = Database.open(StoreAddress(path=folder))
    migrate(database, now=FIRST)
    first, until = int(FIRST.timestamp()), int((FIRST + DAYS * timedelta(days=1)).timestamp())
    per_hour = max(1, calls // use_cases // 168)
    common = {"use_cases": use_cases, "generative": GENERATIVE * use_cases // 100, "first": first, "until": until}
    load_and_write(database)
    for view in ("ai_calls_1h_mv", "input_histogram_1h_mv"):  # their tables are written instead
        database.command(f"DROP VIEW {view}")
    write_hours(database, use_cases, 1_000, [first + day * 86_400 for day in range(0, 28, 4)])
    for day in range(28, DAYS):
        write_hours(database, use_cases, per_hour, [first + day * 86_400 + hour * 3600 for hour in range(24)])
    database.command(_filled(_CALLS, **common, calls=per_hour, hours_of_all=DAYS * 24))
    database.command(
        _filled(_RAW, **common, numbers=_NUMBERS, week=until % 604_800) + "SETTINGS max_partitions_per_insert_block = 0"
    )
    for week in range(5):
        span = {"since": first + week * 604_800, "seconds": 604_800, "labels": LABELS_A_WEEK * use_cases}
        database.command(_filled(_LABELS, **common, **span).replace("concat('l'", f"concat('l{week}-'"))
    database.close()


def load_and_write(database: Database, *, calls: int = 20_000) -> None:
    """Load an hour's calls through the views, and write the same hour, the day before everything else."""
    at = int(FIRST.timestamp()) - 86_400
    database.command(
        "INSERT INTO ai_calls (project, use_case, started_at, call_id, served_by, weight, input_numbers, received_at, ingested_at)"
        f" SELECT 'default', 'loaded', toDateTime64({at}, 9, 'UTC') AS at, toString(number), 'model', 1, map({_NUMBERS}), at, at"
        f" FROM numbers({calls})"
    )
    write_hours(database, 1, calls, [at])


def compare(database: Database) -> tuple[float, float]:
    """Say how many cells, and how many values in them, were written for each that was loaded."""
    found = {
        row["use_case"]: row
        for row in database.rows(
            "SELECT use_case, count() AS cells, sum(n) AS n FROM input_histogram_1h FINAL"
            f" WHERE kind = 'number' AND hour = toDateTime({int(FIRST.timestamp()) - 86_400}, 'UTC') GROUP BY use_case"
        )
    }
    loaded, written = found["loaded"], found["uc0"]
    return written["cells"] / loaded["cells"], written["n"] / loaded["n"]


def write_hours(database: Database, use_cases: int, calls: int, hours: list[int]) -> None:
    """Write the histograms of some hours, each of so many calls."""
    joined = ", ".join(f"toDateTime({hour}, 'UTC')" for hour in hours)
    at = f"SELECT arrayJoin([{joined}]) AS at"
    database.command(_filled(_BELLS, calls=calls, use_cases=use_cases, hours=at, shapes=_SHAPES))
    database.command(_filled(_NAMES, calls=calls, use_cases=use_cases, hours=at))


def _filled(sql: str, **values: object) -> str:
    for name, value in values.items():
        sql = sql.replace("{" + name + "}", str(value))
    return sql
