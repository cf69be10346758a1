"""The same requests under every family of instrumentors, with the real clients: the same calls, tokens and costs.

Three families may be installed beside each other, and a process uses one: each runs `service` in a process of its own, against
local servers that speak the providers' APIs, into one embedded collector.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.collector.test_corrections import LONG_AGO, agree
from tests.collector.test_normalisation import EPOCH, price
from tests.databases import Databases
from tests.genai import servers
from tests.genai.installed import is_installed

from tocsin_collector.collector import Collector
from tocsin_collector.correct.corrections import settle_duplicates
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database

for needed in (
    "openai",
    "anthropic",
    "openinference.instrumentation.openai",
    "openinference.instrumentation.anthropic",
    "opentelemetry.instrumentation.genai.openai",
    "opentelemetry.instrumentation.genai.anthropic",
    "opentelemetry.instrumentation.openai",
    "opentelemetry.instrumentation.anthropic",
):
    if not is_installed(needed):
        pytest.skip(f"needs {needed}", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("official", "openinference", "traceloop")
SDK = "none"  # no instrumentor: Anthropic's SDK tells of its requests itself, OpenAI's does not
PRICES = [
    price(
        model="gpt-4o-2024-08-06",
        valid_from=EPOCH,
        input_per_mtok=2.5,
        output_per_mtok=10.0,
        cache_read_per_mtok=1.25,
    ),
    price(model="text-embedding-3-small", valid_from=EPOCH, input_per_mtok=0.02),
    price(
        provider="anthropic",
        model="claude-sonnet-4-5-20250929",
        valid_from=EPOCH,
        input_per_mtok=3.0,
        output_per_mtok=15.0,
        cache_read_per_mtok=0.3,
        cache_write_per_mtok=3.75,
    ),
]
COLUMNS = (
    "provider, operation, model_name, model_version, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,"
    " attempt, retry_of != '' AS is_retry, error_type, round(confidence, 6) AS confidence, confidence_source, output_label,"
    " arraySort(flags) AS flags, cost, currency, input_numbers"
)
OPENAI_COST = Decimal("0.00179")  # 176 tokens at 2.5, 1024 from the cache at 1.25, 7 written at 10, per million
ANTHROPIC_COST = Decimal("0.00114")  # 20 at 3, 2000 from the cache at 0.3, 100 to it at 3.75, 7 at 15

Rows = dict[str, dict[str, list[dict[str, Any]]]]  # by family, by scenario


@pytest.fixture(scope="module")
def database(databases: Databases) -> Iterator[Database]:
    """One database for the module: what the families' services sent is read by every test, and written by none."""
    with databases.one() as lent:
        yield lent


@pytest.fixture(scope="module")
def rows(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Run the service under each family, and read what became of it."""
    folder = tmp_path_factory.mktemp("genai")
    database.insert("prices", PRICES)
    settings = CollectorSettings(data_dir=folder, grpc_address="127.0.0.1:0", http_address="127.0.0.1:0")
    collector = Collector(settings, database)
    with ExitStack() as started:
        collector.start()
        started.callback(collector.stop)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
        environment |= {"PYTHONPATH": str(ROOT), "TOCSIN_ENDPOINT": f"http://127.0.0.1:{collector.grpc_port}"}
        for provider in ("openai", "anthropic"):
            environment |= started.enter_context(servers.running(provider))
        for pair in (FAMILIES[:2], (FAMILIES[2], SDK)):
            running = [(family, _start(family, environment)) for family in pair]
            for family, process in running:
                said, warned = process.communicate(timeout=120)
                assert process.returncode == 0, f"{family}: {said}{warned}"
                assert "Traceback" not in warned, f"{family}: {warned}"
                assert "ended span" not in warned, f"{family}: {warned}"
    settle_duplicates(database, LONG_AGO)
    return _read(database)


def _start(family: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.genai.service", family],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _read(database: Database) -> Rows:
    found: Rows = {}
    for row in database.rows(
        f"SELECT use_case, service, {COLUMNS} FROM ai_calls ORDER BY use_case, service, attempt, started_at"
    ):
        family, scenario = row.pop("service"), row.pop("use_case")
        found.setdefault(family, {}).setdefault(scenario, []).append(row)
    return found


def test_every_family_tells_of_the_same_calls(rows: Rows) -> None:
    """Which instrumentor somebody chose must change neither a number on a chart nor a bill."""
    assert rows["openinference"] == rows["official"]
    assert rows["traceloop"] == rows["official"]


def test_an_sdk_that_tells_of_itself_tells_of_the_same_calls(rows: Rows) -> None:
    """Anthropic's does, beside an instrumentor or alone: one call, costed once."""
    own = {name: calls for name, calls in rows[SDK].items() if name.startswith("anthropic")}

    assert own == {name: calls for name, calls in rows["official"].items() if name.startswith("anthropic")}


@pytest.mark.parametrize(
    ("scenario", "tokens", "cost"),
    [
        ("openai-chat", (1200, 7), OPENAI_COST),
        ("openai-tools", (1200, 7), OPENAI_COST),
        ("openai-stream", (1200, 7), OPENAI_COST),
        ("openai-raw", (1200, 7), OPENAI_COST),
        ("openai-response", (1200, 7), OPENAI_COST),
        ("openai-response-stream", (1200, 7), OPENAI_COST),
        ("openai-embeddings", (10, None), None),
        ("openai-observed", (1200, 7), OPENAI_COST),
        ("openai-observed-embeddings", (5, None), None),
        ("anthropic-chat", (2120, 7), ANTHROPIC_COST),
        ("anthropic-tools", (2120, 7), ANTHROPIC_COST),
        ("anthropic-stream", (2120, 7), ANTHROPIC_COST),
        ("anthropic-stream-helper", (2120, 7), ANTHROPIC_COST),
        ("anthropic-observed", (2120, 7), ANTHROPIC_COST),
    ],
)
def test_one_request_is_one_call(
    rows: Rows, scenario: str, tokens: tuple[int, int | None], cost: Decimal | None
) -> None:
    """Whatever tells of it: an instrumentor, the SDK, a function of the host's around it, or all of them."""
    [call] = rows["official"][scenario]

    assert (call["input_tokens"], call["output_tokens"]) == tokens
    assert (call["error_type"], call["attempt"], call["flags"]) == ("", 0, [])
    if cost is not None:
        assert (call["cost"], call["currency"]) == (cost, "USD")


@pytest.mark.parametrize("scenario", ["openai-busy-once", "openai-async", "anthropic-busy-once"])
def test_a_refusal_and_the_answer_after_it_are_two_attempts(rows: Rows, scenario: str) -> None:
    """A provider that refuses half of all requests must not look healthy because the client tries again."""
    first, second = rows["official"][scenario]

    assert (first["attempt"], first["is_retry"], first["cost"]) == (1, 0, None)
    assert first["error_type"].endswith(".RateLimitError")
    assert (second["attempt"], second["is_retry"], second["error_type"]) == (2, 1, "")
    assert second["cost"] is not None


@pytest.mark.parametrize("scenario", ["openai-always-busy", "anthropic-always-busy"])
def test_three_refusals_are_three_failed_attempts(rows: Rows, scenario: str) -> None:
    """The last one, which the caller sees, is no other than the first two."""
    calls = rows["official"][scenario]

    assert [(call["attempt"], call["is_retry"]) for call in calls] == [(1, 0), (2, 1), (3, 1)]
    assert {call["error_type"].partition(".")[2] for call in calls} == {"RateLimitError"}


@pytest.mark.parametrize(
    ("scenario", "error_type", "flags"),
    [
        ("openai-stream-torn", "openai.APIConnectionError", ["tokens_estimated"]),
        ("openai-stream-cut", "cut_short", ["tokens_estimated"]),
        ("openai-stream-closed", "", ["stream_closed", "tokens_estimated"]),
        ("openai-stream-abandoned", "abandoned", ["tokens_estimated"]),
        ("openai-stream-cancelled", "cancelled", ["tokens_estimated"]),
        ("anthropic-stream-torn", "httpx2.RemoteProtocolError", ["tokens_estimated"]),
        ("anthropic-stream-cut", "cut_short", ["tokens_estimated"]),
        ("anthropic-stream-closed", "", ["stream_closed", "tokens_estimated"]),
        ("anthropic-stream-abandoned", "abandoned", ["tokens_estimated"]),
    ],
)
def test_a_stream_that_does_not_reach_its_end_says_why(
    rows: Rows, scenario: str, error_type: str, flags: list[str]
) -> None:
    """Of streams that are left, torn or thrown away, some instrumentors say nothing and some never end the span."""
    [call] = rows["official"][scenario]

    assert (call["error_type"], call["flags"]) == (error_type, flags)
    assert call["output_tokens"] == 2
    assert call["cost"] is not None


def test_tokens_that_nobody_said_are_estimated_and_flagged(rows: Rows) -> None:
    """OpenAI's streams say no usage unless they are asked to; a cost of nothing would be worse than a rough one."""
    [plain] = rows["official"]["openai-stream-without-usage"]
    [tools] = rows["official"]["openai-stream-of-tools"]

    assert (plain["input_tokens"], plain["output_tokens"], plain["flags"]) == (5, 2, ["tokens_estimated"])
    assert (tools["input_tokens"], tools["output_tokens"], tools["flags"]) == (5, 4, ["tokens_estimated"])


@pytest.mark.parametrize("scenario", ["openai-logprobs", "openai-stream", "openai-observed"])
def test_confidence_comes_from_the_probabilities_of_tokens(rows: Rows, scenario: str) -> None:
    """It is what drift of quality is read from before anybody has reviewed an answer."""
    [call] = rows["official"][scenario]

    assert call["confidence"] == pytest.approx((0.9 * 0.6) ** 0.5, abs=1e-6)
    assert call["confidence_source"] == "logprob"


def test_an_observed_function_and_its_request_are_one_call(rows: Rows) -> None:
    """What it was for comes from the function, what it took from the provider, also when there is no response to share."""
    [answered] = rows["official"]["openai-observed"]
    [failed] = rows["official"]["openai-observed-failure"]

    assert (answered["output_label"], answered["model_name"]) == ("billing", "gpt-4o-2024-08-06")
    assert (failed["error_type"], failed["model_name"]) == ("openai.RateLimitError", "gpt-4o")


def test_an_observed_function_speaks_for_a_client_that_nothing_instruments(rows: Rows) -> None:
    """The extra of an instrumentor is easily forgotten."""
    [call] = rows[SDK]["openai-observed"]
    [official] = rows["official"]["openai-observed"]

    assert call == official


def test_prompts_are_measured_though_no_content_is_captured(rows: Rows) -> None:
    """Instrumentors leave content out by default; what is measured of it is there all the same, and nothing else."""
    for family in FAMILIES:
        [call] = rows[family]["openai-chat"]
        assert call["input_numbers"]["prompt.chars"] == len("I was charged twice"), family


def test_sums_agree_with_the_calls(rows: Rows, database: Database) -> None:
    """Spans that were made one call have left no tokens and no cost behind in the hourly sums."""
    assert rows

    agree(database)
