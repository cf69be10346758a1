"""The dashboards of deploy/grafana: each statement is run as Grafana's plugin runs it, over a store with something to show."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.console.clickhouse_http.conftest import Endpoint, opening
from tests.databases import Databases

from tocsin_collector.store.database import Database

GRAFANA = Path(__file__).resolve().parents[3] / "deploy" / "grafana"
SINCE = datetime(2026, 2, 23, tzinfo=UTC)
UNTIL = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = ("overview", "quality", "drift", "cost", "system")
DASHBOARDS: dict[str, dict[str, Any]] = {
    name: json.loads((GRAFANA / "dashboards" / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES
}
PANELS = [
    pytest.param(name, panel, id=f"{name}: {panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]
NUMBERS = ("Int", "UInt", "Float", "Decimal")
TIMES = ("DateTime", "Date")


def filled(sql: str, *, interval_s: int = 3600) -> str:
    """Put in what Grafana's plugin puts in: its macros, and variables that stand for all their values."""
    since, until = int(SINCE.timestamp()), int(UNTIL.timestamp())
    in_time = rf"\1 >= toDateTime({since}) AND \1 <= toDateTime({until})"
    in_days = rf"\1 >= toDate('{SINCE:%Y-%m-%d}') AND \1 <= toDate('{UNTIL:%Y-%m-%d}')"
    for pattern, text in (
        (r"\$__timeFilter\(([^()]+)\)", in_time),
        (r"\$__dateFilter\(([^()]+)\)", in_days),
        (r"\$__timeInterval\(([^()]+)\)", rf"toStartOfInterval(toDateTime(\1), INTERVAL {interval_s} second)"),
        (r"\$__fromTime", f"toDateTime({since})"),
        (r"\$__toTime", f"toDateTime({until})"),
        (r"\$\{project:singlequote\}", "'default'"),
        (r"\$\{use_case:singlequote\}", "'triage','bot'"),
    ):
        sql = re.sub(pattern, text, sql)
    assert "$" not in sql, f"nothing stands for {re.findall(r'[$][^ ]*', sql)}"
    return sql


@pytest.fixture(scope="module")
def filled_store(databases: Databases) -> Iterator[Database]:
    """A week of two use cases, one of them in trouble."""
    days = [SINCE + timedelta(days=n) for n in range(7)]
    with databases.one() as store:
        _fill_calls(store, days)
        _fill_books(store, days)
        yield store


@pytest.fixture(scope="module")
def shown(filled_store: Database, engine_folder: Path) -> Iterator[Endpoint]:
    """An endpoint over it."""
    for opened in opening(engine_folder, filled_store):
        yield opened()


def _fill_calls(store: Database, days: list[datetime]) -> None:
    calls, outcomes = [], []
    for day_number, day in enumerate(days):
        for number in range(40):
            at = day + timedelta(minutes=30 * number)
            use_case, call_id = ("triage", "bot")[number % 2], f"c{day_number}-{number}"
            model = {"model_name": "m", "model_version": f"v{1 + (day_number > 4)}", "provider": "openai"}
            calls.append(
                {
                    "project": "default", "use_case": use_case, "started_at": at, "duration_ns": 5_000_000 * (number + 1),
                    "call_id": call_id, "call_key": call_id, "trace_id": f"{number:032x}", "span_id": f"{number:016x}",
                    "service": "svc", "served_by": "model" if number % 10 else "fallback", "attempt": 1 + number % 3,
                    "weight": 1.0, "output_label": "ab"[number % 2], "confidence": 0.5 + number / 100,
                    "cost": None if number % 8 == 0 else Decimal("0.002"), "currency": "" if number % 8 == 0 else ("USD", "EUR")[number % 2],
                    "input_tokens": 100 + number, "output_tokens": 20, "error_type": "timeout" if number % 13 == 0 else "",
                    "input_numbers": {"length": float(number)}, "input_strings": {"language": ("en", "xx")[number % 2]},
                    "input_nulls": ["tone"] if number % 5 == 0 else [], "received_at": at, "ingested_at": at + timedelta(seconds=1),
                    "segment": "s", **model,
                }
            )  # fmt: skip
            if use_case == "triage":
                outcomes.append(
                    {
                        "project": "default", "use_case": use_case, "call_id": call_id, "started_at": at,
                        "model_version": model["model_version"], "served_by": "model", "predicted_label": "ab"[number % 2],
                        "confidence": 0.5 + number / 100, "weight": 1.0, "kind": ("ground_truth", "support")[number % 20 == 0],
                        "source": "labels", "outcome_id": call_id, "observed_at": at + timedelta(hours=5), "label": "ab"[number % 4 == 0],
                        "minutes": 3.5 if number % 20 == 0 else None, "received_at": at, "ingested_at": at, "segment": "s",
                    }
                )  # fmt: skip
    store.insert("ai_calls", calls)
    store.insert("outcomes_in", outcomes)


def _fill_books(store: Database, days: list[datetime]) -> None:
    key = {"project": "default", "use_case": "triage"}
    last = days[-1]
    samples = [
        ("accuracy", {"model_version": "v1"}), ("estimated_accuracy", {"model_version": "v1"}),
        ("accuracy_by_segment", {"model_version": "v1", "segment_name": "language", "segment_value": "en"}),
        ("input_psi", {"field": "length"}), ("null_rate", {"field": "tone"}), ("confidence_shift", {"model_version": "v1"}),
        ("volume", {}), ("freshness", {}),
    ]  # fmt: skip
    store.insert(
        "evaluations",
        [
            {**key, "evaluator": name, "labels": labels, "slot": day, "value": 0.2, "lower": 0.1, "upper": 0.3, "baseline": 0.1,
             "n": 40, "evaluator_hash": "h", "evaluated_at": day}
            for day in days for name, labels in samples
        ],
    )  # fmt: skip
    state = {"rule": "accuracy-drop", "fingerprint": "f", "incident": "i", "severity": "page"}
    store.insert(
        "alert_state", [{**key, **state, "state": "firing", "since": last, "slot": last, "value": 0.7, "at": last}]
    )
    store.insert(
        "alert_events",
        [{**key, **state, "event_id": "e", "from_state": "pending", "to_state": "firing", "slot": last, "reason": "it fell", "at": last}],
    )  # fmt: skip
    store.insert(
        "guard_events",
        [
            {**key, "version": n, "state": name, "mode": "automatic", "applied": 1, "cause": "c", "actor": "rule:x", "since": day, "at": day}
            for n, (name, day) in enumerate(zip(("normal", "verify", "fallback"), days, strict=False), 1)
        ],
    )  # fmt: skip
    store.insert(
        "notifications",
        [{**key, "notification": "n", "incident": "i", "transition": "firing", "channel": "pager", "state": "sent", "attempts": 1,
          "severity": "page", "subject": "it fell", "slot": last, "version": 1, "at": last}],
    )  # fmt: skip
    plan = {
        "retraining": {"trigger": {"metric": "accuracy", "threshold": 0.85}, "action": "retrain"},
        "fallback": {"description": "rules"},
    }
    store.insert(
        "plans",
        [{**key, "segments": ["language"], "quality_floor": 0.9, "label_delay_s": 86400, "currency": "USD", "owner": "team",
          "budget_per_day": Decimal(1), "guard_mode": "automatic", "plan": json.dumps(plan), "updated_at": SINCE}],
    )  # fmt: skip
    store.insert(
        "rule_runs",
        [{"rule": "accuracy-drop", "slot": day, "state": ("done", "failed")[n == 6], "samples": 1, "rule_hash": "h", "epoch": 1,
          "duration_ms": 12.5, "error": "", "at": day} for n, day in enumerate(days)],
    )  # fmt: skip
    store.insert(
        "load_ledger",
        [{"segment": f"s{n}", "kind": "traces", "state": "loaded", "requests": 2, "spans": 40, "bytes": 4000, "settings": "{}",
          "first_received_at": day, "last_received_at": day, "at": day} for n, day in enumerate(days)],
    )  # fmt: skip
    store.insert("watermarks", [{"collector": "c", "complete_to": last, "data_complete_to": last, "at": last}])
    store.insert(
        "dead_letters",
        [{"project": "default", "kind": "traces", "digest": "d", "segment": "s", "reason": "no", "body": "x", "received_at": last, "at": last}],
    )  # fmt: skip
    store.insert(
        "otel_traces",
        [{"Timestamp": day, "TraceId": "t", "SpanId": str(n), "ServiceName": "svc", "SpanName": "predict", "Duration": 5,
          "project": "default", "ingested_at": datetime.now(UTC)} for n, day in enumerate(days)],
    )  # fmt: skip
    store.insert(
        "prices",
        [{"project": "", "provider": "openai", "model": "m", "source": "genai-prices", "valid_from": SINCE, "currency": "USD",
          "input_per_mtok": 1.0, "source_version": "1", "dated": SINCE.date(), "updated_at": SINCE}],
    )  # fmt: skip


def asked(shown: Endpoint, sql: str) -> tuple[list[tuple[str, str]], list[list[Any]]]:
    """Run a statement; give its columns with their types, and its rows."""
    answer = shown.ask(filled(sql), default_format="JSONCompact", output_format_json_quote_64bit_integers=0)
    assert answer.status == 200, answer.data.decode()
    document = json.loads(answer.data)
    return [(column["name"], column["type"]) for column in document["meta"]], document["data"]


def bare(kind: str) -> str:
    """Take Nullable and LowCardinality off a type."""
    while match := re.fullmatch(r"(?:Nullable|LowCardinality)\((.*)\)", kind):
        kind = match.group(1)
    return kind


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_shows_what_is_there(shown: Endpoint, name: str, panel: dict[str, Any]) -> None:
    """A dashboard that shows nothing when there is something is worse than none."""
    for target in panel["targets"]:
        columns, rows = asked(shown, target["rawSql"])

        assert rows, f"{name}, {panel['title']}: no rows"
        kinds = {column: bare(kind) for column, kind in columns}
        numbers = [column for column, kind in kinds.items() if kind.startswith(NUMBERS)]
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert target["format"] == 0
            assert columns[0][0] == "time"
            assert kinds["time"].startswith("DateTime")
            assert [row[0] for row in rows] == sorted(row[0] for row in rows), "Grafana wants time ascending"
            assert all(kind.startswith((*NUMBERS, *TIMES, "String")) for kind in kinds.values()), kinds
        else:
            assert target["format"] == 1
        if panel["type"] != "table":
            assert numbers
            places = [place for place, (column, _) in enumerate(columns) if column in numbers]
            assert any(row[place] is not None for row in rows for place in places), "only NULLs"


@pytest.mark.parametrize(("name", "panel"), PANELS)
def test_every_panel_can_be_read_by_gos_driver(shown: Endpoint, name: str, panel: dict[str, Any]) -> None:
    """The plugin asks for Native in a revision that no column type of ours may be missing from."""
    for target in panel["targets"]:
        said = {"default_format": "Native", "client_protocol_version": 54_460, "enable_http_compression": 1}
        answer = shown.ask(filled(target["rawSql"]), headers={"accept-encoding": "gzip"}, **said)

        assert answer.status == 200, f"{name}: {answer.data.decode()}"
        assert answer.data.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00")


@pytest.mark.parametrize("name", NAMES)
def test_variables_and_annotations_are_answered(shown: Endpoint, name: str) -> None:
    """Without them no panel is asked for anything."""
    dashboard = DASHBOARDS[name]
    queries = [each["query"]["rawSql"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    queries += [each["target"]["rawSql"] for each in dashboard["annotations"]["list"]]

    assert queries
    for sql in queries:
        assert asked(shown, sql)[1], sql


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_one_that_grafana_loads(name: str) -> None:
    """Ids are unique, panels do not overlap, sources are variables, and each panel says what it shows."""
    dashboard = DASHBOARDS[name]
    panels = dashboard["panels"]
    taken: set[tuple[int, int]] = set()

    assert dashboard["uid"] == f"tocsin-{name}"
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert dashboard["schemaVersion"] >= 39
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith("."), panel["title"]
            assert panel["datasource"] == {"type": "grafana-clickhouse-datasource", "uid": "${datasource}"}
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]


def test_money_is_never_added_across_currencies() -> None:
    """A sum of dollars and yen is a number that means nothing."""
    statements = [
        target["rawSql"]
        for dashboard in DASHBOARDS.values()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
    about_money = [sql for sql in statements if re.search(r"\b(known_cost|sum\(cost\)|avg\(cost\))", sql)]

    assert about_money
    for sql in about_money:
        assert re.search(r"GROUP BY [^\n]*currency", sql), sql


def test_the_dashboards_are_provisioned() -> None:
    """The source speaks HTTP to the endpoint's address, and the provider reads the folder."""
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/tocsin.yaml").read_text(encoding="utf-8"))[
        "datasources"
    ][0]
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/tocsin.yaml").read_text(encoding="utf-8"))[
        "providers"
    ][0]

    assert source["type"] == "grafana-clickhouse-datasource"
    assert (source["jsonData"]["host"], source["jsonData"]["port"], source["jsonData"]["protocol"]) == (
        "127.0.0.1",
        8123,
        "http",
    )
    assert provider["type"] == "file"
    assert {path.stem for path in (GRAFANA / "dashboards").glob("*.json")} == set(NAMES)
