"""Who is switched on, and that nothing is instrumented twice. Each program is a process of its own: instrumentation is a process's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.genai import servers
from tests.genai.installed import is_installed

import tocsin
from tocsin._genai import enabling
from tocsin._genai.libraries import LIBRARIES
from tocsin._process.zero_code import chosen, generative

if not (is_installed("openai") and is_installed("opentelemetry.instrumentation.genai.openai")):
    pytest.skip("needs openai and tocsin[openai]", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import openai
openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
"""
OFFICIAL = "opentelemetry.instrumentation.genai.openai"
OPENINFERENCE = "openinference.instrumentation.openai"


@pytest.fixture
def environment(collector: Any) -> Iterator[dict[str, str]]:
    """Where a program finds the provider and the collector."""
    with servers.running("openai") as variables:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
        yield (
            own
            | variables
            | {
                "PYTHONPATH": str(ROOT),
                "TOCSIN_ENDPOINT": collector.endpoint,
                "TOCSIN_USE_CASE": "triage",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
            }
        )


def tellers(collector: Any, code: str, environment: dict[str, str], *before: str) -> list[str]:
    """Run a program; name whoever told of its requests."""
    done = subprocess.run(
        [*(before or (sys.executable,)), "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "already instrumented" not in done.stderr
    assert "Traceback" not in done.stderr
    return [
        scope_spans.scope.name
        for request in collector.requests
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for _ in scope_spans.spans
    ]


def test_init_switches_on_what_is_installed(collector: Any, environment: dict[str, str]) -> None:
    """One line, before or after the import of the library."""
    assert tellers(collector, f"import tocsin; tocsin.init()\n{ASK}", environment) == [OFFICIAL]
    collector.requests.clear()
    assert tellers(collector, f"import openai, tocsin; tocsin.init()\n{ASK}", environment) == [OFFICIAL]
    assert collector.attributes()[0]["tocsin.use_case"] == "triage"


def test_tocsin_run_switches_it_on_without_a_changed_line(collector: Any, environment: dict[str, str]) -> None:
    """The program does not mention tocsin."""
    run = (sys.executable, "-m", "tocsin_console", "run", "--", sys.executable)

    assert tellers(collector, ASK, environment, *run) == [OFFICIAL]


def test_opentelemetry_instrument_instruments_once(collector: Any, environment: dict[str, str]) -> None:
    """It loads every instrumentor that is installed, by itself, and tocsin beside them."""
    refused = "anthropic,langchain"  # seconds to load
    environment |= {"OTEL_PYTHON_DISTRO": "tocsin", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": refused}
    code = "from opentelemetry.instrumentation.auto_instrumentation import initialize; initialize()\n" + ASK

    told = tellers(collector, code, environment)

    assert told.count(OFFICIAL) == 1


@pytest.mark.skipif(
    not is_installed(OPENINFERENCE), reason=f"needs {OPENINFERENCE}"
)  # imported here, it would be the host's
@pytest.mark.parametrize(
    "first",
    [
        f"import tocsin; tocsin.init()\nfrom {OPENINFERENCE} import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()",
        f"from {OPENINFERENCE} import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()\nimport tocsin; tocsin.init()",
        f"import openai, tocsin; tocsin.init()\nfrom {OPENINFERENCE} import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()",
    ],
    ids=["tocsin first", "tocsin last", "the library first"],
)
def test_a_host_with_another_instrumentor_keeps_it_alone(
    collector: Any, environment: dict[str, str], first: str
) -> None:
    """In whatever order: who instruments is the host's choice, and two would pay for the same request twice."""
    assert tellers(collector, f"{first}\n{ASK}", environment) == [OPENINFERENCE]
    [said] = collector.attributes()
    assert said["tocsin.use_case"] == "triage"
    assert said["gen_ai.response.id"].startswith("chatcmpl-")


def test_the_environment_says_what_is_left_alone(collector: Any, environment: dict[str, str]) -> None:
    """TOCSIN_INSTRUMENT in our words, OpenTelemetry's list in its own."""
    program = f"import tocsin; tocsin.init()\n{ASK}"

    assert tellers(collector, program, environment | {"TOCSIN_INSTRUMENT": "sklearn"}) == []
    assert generative({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "google-genai, openai"}) == tuple(
        name for name in LIBRARIES if name not in {"openai", "google_genai"}
    )
    assert generative({"TOCSIN_INSTRUMENT": "llama-index"}) == ("llama_index",)
    assert chosen({"TOCSIN_INSTRUMENT": "openai"}, ("sklearn", *LIBRARIES)) == ("openai",)


def test_what_was_switched_on_is_switched_off(collector: Any, environment: dict[str, str]) -> None:
    """And on again: a service's tests start and stop it."""
    code = f"""
import tocsin
tocsin.init()
import openai
from openai._base_client import SyncAPIClient
from openai.resources.chat.completions import Completions
{ASK}
tocsin.uninstrument_genai("openai")
assert type(Completions.create).__name__ == "function"
assert not hasattr(SyncAPIClient.request, "__wrapped__")
{ASK}
tocsin.instrument_genai("openai")
{ASK}
"""
    assert tellers(collector, code, environment) == [OFFICIAL, OFFICIAL]


def test_a_disabled_sdk_touches_nothing(collector: Any, environment: dict[str, str]) -> None:
    """OTEL_SDK_DISABLED is the emergency switch."""
    code = f"""
import tocsin
tocsin.init()
tocsin.instrument_genai()
{ASK}
from openai._base_client import SyncAPIClient
assert not hasattr(SyncAPIClient.request, "__wrapped__")
"""
    assert tellers(collector, code, environment | {"OTEL_SDK_DISABLED": "true"}) == []


def test_a_library_that_is_not_known_is_named_and_swallowed(started: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A typing error in one name must not cost the others, nor the host."""
    started()

    tocsin.instrument_genai("opnai")

    assert "expected libraries out of openai, anthropic" in caplog.text
    assert "got opnai" in caplog.text
    tocsin.uninstrument_genai()


def test_an_instrumentor_that_cannot_start_costs_the_host_nothing(
    started: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release of OpenTelemetry's may be broken, as one was."""

    class Broken:
        def instrumentation_dependencies(self) -> tuple[str, ...]:
            return ()

        def instrument(self, **_: Any) -> None:
            raise ImportError("half a release")

    started()
    monkeypatch.setattr(enabling, "_instrumentor", lambda _: Broken())
    monkeypatch.setattr(enabling, "is_taken", lambda _: False)

    enabling._instrument(LIBRARIES["openai"])

    assert "half a release" in caplog.text


def test_every_library_has_an_extra() -> None:
    """`pip install 'tocsin[openai]'` brings what `instrument_genai("openai")` switches on."""
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    for library in LIBRARIES.values():
        [needed] = extras[library.name.replace("_", "-")]
        assert needed.startswith(f"{library.distribution}>="), library.name
