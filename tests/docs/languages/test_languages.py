"""docs/languages: each page's program, as it stands there, makes a call with its cost, and an outcome that finds it."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import loaded
from tests.docs.fences import commands, fences
from tests.npm import installed

from tocsin_collector.collector import Collector
from tocsin_collector.correct.waiting_outcomes import resolve_outcomes
from tocsin_collector.store.database import Database

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SELENIUM = "opentelemetry.jar"


@pytest.fixture(scope="session")
def toolchains() -> Path:
    """Debian's Go with OpenTelemetry's SDK, and the latter's Java SDK, unpacked once."""
    said = os.environ.get("TOCSIN_LANGUAGES")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(said) if said else cache / "tocsin-tests" / "languages"
    done = subprocess.run([ROOT / ".ci" / "languages", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs Debian's Go and npm, for the pages of Go and Java: {done.stderr.strip()[-200:]}")
    return folder


def settings(page: str, endpoint: str) -> dict[str, str]:
    """What the page exports, with the address of this test's collector in place of the usual one."""
    lines = "".join(fences(page, "bash", tested_by=__file__)).splitlines()
    exported = [line.removeprefix("export ") for line in lines if line.startswith("export ")]
    found = {name: shlex.split(value)[0] for name, value in (each.split("=", 1) for each in exported)}
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
    return {**found, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}


def program(page: str, language: str, name: str) -> str:
    """The page's one program, which says what its file is called."""
    [text] = fences(page, language, tested_by=__file__)
    assert text.startswith(f"// {name}\n")
    return text


def runs(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run something that ends well."""
    done = subprocess.run(
        command, cwd=folder, env=dict(environment), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def arrived(collector: Collector, database: Database) -> None:
    """A call with everything that the page says, and its outcome."""
    loaded(collector)
    resolve_outcomes(database)
    [call] = database.rows("SELECT * FROM ai_calls")
    said = {
        name: call[name]
        for name in ("use_case", "task", "service", "model_name", "model_version", "output_label", "confidence")
    }
    assert said == {
        "use_case": "ticket-triage", "task": "classification", "service": "helpdesk", "model_name": "triage-forest",
        "model_version": "2026-05", "output_label": "billing", "confidence": 0.87,
    }  # fmt: skip
    assert (float(call["cost"]), call["currency"]) == (0.0004, "USD")
    assert (call["input_numbers"], call["input_strings"]) == ({"length": 20.0}, {"language": "en"})
    assert call["duration_ns"] > 0
    outcomes = database.rows("SELECT call_id, label, correct FROM outcomes FINAL")
    assert outcomes == [{"call_id": call["call_id"], "label": "refund", "correct": 0}]


def test_the_program_of_node(run: Run, database: Database, tmp_path: Path) -> None:
    """With OpenTelemetry's own packages, at the versions of the lock."""
    page = "languages/node.md"
    modules = installed(HERE / "node", name="languages", proof="@opentelemetry/sdk-node", what="the page of Node")
    (tmp_path / "triage.js").write_text(program(page, "js", "triage.js"))
    collector, _ = run()

    said = runs(
        ["node", "triage.js"],
        tmp_path,
        {**settings(page, f"http://127.0.0.1:{collector.http_port}"), "NODE_PATH": str(modules / "node_modules")},
    )

    assert said == "billing\n"
    arrived(collector, database)
    asked = next(words for words in commands(page, tested_by=__file__) if words[:2] == ["npm", "install"])
    assert set(asked[2:]) == set(json.loads((HERE / "node" / "package.json").read_text())["dependencies"])


def test_the_program_of_go(run: Run, database: Database, tmp_path: Path, toolchains: Path) -> None:
    """Compiled against the SDK that Debian has; its exporter is a stand-in, which the page says."""
    page = "languages/go.md"
    source = tmp_path / "src" / "triage"
    exporter = tmp_path / "src" / "go.opentelemetry.io" / "otel" / "exporters" / "otlp" / "otlptrace" / "otlptracehttp"
    source.mkdir(parents=True)
    exporter.mkdir(parents=True)
    (source / "main.go").write_text(program(page, "go", "main.go"))
    shutil.copy(HERE / "go" / "otlptracehttp.go", exporter)
    debian = toolchains / "go" / "usr"
    collector, _ = run()
    environment = {
        **settings(page, f"http://127.0.0.1:{collector.http_port}"), "GO111MODULE": "off", "CGO_ENABLED": "0",
        "GOROOT": str(debian / "lib" / "go-1.19"), "GOPATH": f"{debian}/share/gocode:{tmp_path}", "GOFLAGS": "-p=1",
        "GOCACHE": str(toolchains / "go-cache"),
    }  # fmt: skip

    said = runs([str(debian / "lib" / "go-1.19" / "bin" / "go"), "run", "triage"], tmp_path, environment)

    assert said == "billing\n"
    arrived(collector, database)


def test_the_program_of_java(run: Run, database: Database, tmp_path: Path, toolchains: Path) -> None:
    """Compiled and run with OpenTelemetry's SDK; its exporter is a stand-in, registered as theirs is, which the page says."""
    if not shutil.which("javac"):
        pytest.skip("needs a JDK, for the page of Java")
    page = "languages/java.md"
    (tmp_path / "Triage.java").write_text(program(page, "java", "Triage.java"))
    shutil.copy(HERE / "java" / "StandIn.java", tmp_path)
    services = tmp_path / "out" / "META-INF" / "services"
    services.mkdir(parents=True)
    spi = "io.opentelemetry.sdk.autoconfigure.spi"
    (services / f"{spi}.traces.ConfigurableSpanExporterProvider").write_text("StandIn$Spans\n")
    (services / f"{spi}.logs.ConfigurableLogRecordExporterProvider").write_text("StandIn$Logs\n")
    collector, _ = run()
    jar = str(toolchains / SELENIUM)
    environment = settings(page, f"http://127.0.0.1:{collector.http_port}")
    runs(["javac", "-d", "out", "-cp", jar, "Triage.java", "StandIn.java"], tmp_path, environment)

    said = runs(["java", "-cp", f"out{os.pathsep}{jar}", "Triage"], tmp_path, environment)

    assert said == "billing\n"
    arrived(collector, database)
