"""The shipped rules over the shipped evaluators and a real store: silent on a steady stream, one page on a broken one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin_alerts.engine import Engine
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Labels, Quality
from tocsin_alerts.references import maintain
from tocsin_alerts.rules import load_rules

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
DAYS, BREAKS = 45, 35
CALLS_A_DAY = 960

# Deterministic numbers in 0..1 for a call, one per purpose. Confidence is calibrated: right with that probability.
# After the break ink shifts, confidence sinks with it, and every other note is missing.
_CALLS = """
INSERT INTO ai_calls (project, use_case, started_at, call_id, model_version, served_by, weight, output_label, confidence,
    input_numbers, input_strings, input_nulls, received_at, ingested_at)
WITH
    (k) -> (cityHash64(number, k) % 1000003) / 1000003 AS u,
    toDateTime64({start}, 3, 'UTC') + toIntervalSecond(number * 90 + 7) AS at,
    {breaks} AND number >= {breaks_at} AS broken
SELECT 'default', 'reader', at, concat('c', toString(number)), 'v1', 'model', 1, '7',
    1 - pow(u(1), if(broken, 1.5, 5)) * 0.6,
    map('ink', u(2) + if(broken, 0.5, 0.), 'slant', u(3) * 100 - 50),
    map('device', if(u(4) < 0.7, 'flatbed', 'camera')), if(u(5) < 0.02 + if(broken, 0.5, 0), ['note'], []), at, at
FROM numbers({calls})
"""
_OUTCOMES = """
INSERT INTO outcomes (project, use_case, call_id, started_at, model_version, served_by, weight, confidence, kind, source,
    outcome_id, observed_at, correct, received_at, ingested_at)
SELECT project, use_case, call_id, started_at, model_version, 'model', 1, confidence, 'ground_truth', 'labels', call_id,
    started_at, (cityHash64(call_id, 9) % 1000003) / 1000003 < confidence, started_at, started_at
FROM ai_calls WHERE cityHash64(call_id, 8) % 5 = 0
"""


def live(kit: Any, database: Any, *, breaks: bool) -> Any:
    """Write 45 days of calls and labels, and let the engine judge them on the data's clock."""
    sink = kit.FakeSink()
    numbers = {
        "start": f"'{START:%Y-%m-%d %H:%M:%S}'",
        "breaks": int(breaks),
        "breaks_at": BREAKS * CALLS_A_DAY,
        "calls": DAYS * CALLS_A_DAY,
    }
    database.command(_CALLS.format(**numbers))
    database.command(_OUTCOMES)
    plans = Plans.of(Plan(use_case="reader", quality=Quality(floor=0.85), labels=Labels(delay=timedelta(days=1))))
    database.insert("plans", plans.to_rows(now=START))
    evaluators = load_evaluators()
    engine = Engine(
        database,
        load_rules(evaluators=evaluators, query=database),
        evaluators,
        plans,
        epoch=1,
        clock_mode="data",
        handlers=[sink],
        maintain=lambda day: maintain(database, slot=day),
    )
    now, has_more, failed = START + timedelta(days=DAYS), True, {}
    while has_more:
        report = engine.tick(now, now)
        has_more = report.has_more
        failed.update(report.failed)
    assert failed == {}
    return engine, sink


def test_a_steady_stream_pages_nobody_and_is_right(kit: Any, database: Any) -> None:
    """The page budget is the rotation's: chance must not wake anybody."""
    engine, sink = live(kit, database, breaks=False)

    assert sink.moves() == []
    (status,) = engine.status()
    assert status.verdict == "right"
    assert status.evaluated_through == START + timedelta(days=DAYS)


def test_a_broken_stream_is_one_page_with_all_its_evidence(kit: Any, database: Any) -> None:
    """However many rules see it, on-call hears once, and the labels confirm what was seen without them."""
    engine, sink = live(kit, database, breaks=True)

    fired = [event for _, _, told in sink.told for event in told if event.to_state == "firing"]
    pages = [event for event in fired if event.severity == "page"]
    assert {event.rule for event in pages} >= {
        "estimated-accuracy-drop",
        "accuracy-below-floor",
        "confidence-shift",
        "null-rate",
    }
    assert len({event.incident for event in pages}) == 1
    assert {event.rule for event in fired} - {event.rule for event in pages} >= {
        "input-drift",
        "confidence-shift-ticket",
    }
    assert min(event.slot for event in pages) <= START + timedelta(days=BREAKS + 1)
    (status,) = engine.status()
    assert (status.verdict, status.alerts[0].severity) == ("wrong", "page")
