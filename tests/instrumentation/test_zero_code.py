"""`tocsin run` and `opentelemetry-instrument`: programs that do not mention tocsin."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import tocsin
from tocsin._process.zero_code import chosen, instrumentations
from tocsin_console.run_verb import environment

ROOT = Path(__file__).resolve().parents[2]

SERVICE = """
import sys
import numpy as np
from sklearn.linear_model import LogisticRegression
inputs = np.array([[0.0], [1.0]])
print(LogisticRegression().fit(inputs, [0, 1]).predict(inputs).tolist())
"""


def run(*words: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `tocsin run` with these words."""
    return subprocess.run(
        [sys.executable, "-m", "tocsin_console", "run", *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def use_cases(collector: Any) -> list[str]:
    """The use cases of the calls that arrived."""
    return [said["tocsin.use_case"] for said in collector.attributes()]


def test_every_way_to_name_a_program_starts_tocsin_in_it(tmp_path: Path) -> None:
    """A file, a module, an executable script and a child process: whatever a Procfile says."""
    program = "import sys; print('tocsin' in sys.modules and sys.modules['tocsin'].stats()['spans_ended'])\n"
    (tmp_path / "service.py").write_text(program)
    script = tmp_path / "serve"
    script.write_text(f"#!{sys.executable}\n{program}")
    script.chmod(0o755)
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys; sys.exit(subprocess.run([sys.executable, 'service.py']).returncode)"
    )
    ways = [("service.py",), ("-m", "service"), ("--", "./serve"), ("--", sys.executable, "parent.py")]

    done = [run(*words, cwd=tmp_path) for words in ways]

    assert [(ran.returncode, ran.stdout, ran.stderr) for ran in done] == [(0, "0\n", "")] * len(ways)


def test_a_signal_reaches_the_program_itself(tmp_path: Path) -> None:
    """Supervisors signal the process that they started; there must be nothing in between."""
    code = "import os, signal, time; print(os.getpid(), flush=True); signal.pause()"
    child = subprocess.Popen(
        [sys.executable, "-m", "tocsin_console", "run", "--", sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())

    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)

    assert pid == child.pid
    assert child.returncode == -signal.SIGTERM


def test_a_python_without_tocsin_runs_and_is_told_of_once(tmp_path: Path) -> None:
    """`pipx install tocsin` and an application with its own environment: silence would look like success."""
    import venv

    venv.create(tmp_path / "other", with_pip=False)
    python = str(tmp_path / "other" / "bin" / "python")
    code = "import subprocess, sys; print('ran', flush=True); subprocess.run([sys.executable, '-c', 'print(1)'])"

    done = run("--", python, "-c", code, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, "ran\n1\n")
    assert done.stderr.count("cannot import tocsin") == 1
    assert f"{python} -m pip install tocsin" in done.stderr


def test_a_broken_start_is_one_line_and_the_program_runs(tmp_path: Path) -> None:
    """Half an installation must not stop a service."""
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("raise RuntimeError('half installed')")
    env = {**environment({}, os.environ), "PYTHONPATH": f"{environment({}, {})['PYTHONPATH']}{os.pathsep}{tmp_path}"}

    done = subprocess.run(
        [sys.executable, "-c", "print('ran')"], env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr == "tocsin: could not start (RuntimeError: half installed); your program is unaffected\n"


def test_the_environment_chooses_what_is_instrumented() -> None:
    """Ours by name, OpenTelemetry's by its own list."""
    known = ("openai", "sklearn")

    assert chosen({}, known) == known
    assert chosen({"TOCSIN_INSTRUMENT": "sklearn"}, known) == ("sklearn",)
    assert chosen({"TOCSIN_INSTRUMENT": "none"}, known) == ()
    assert chosen({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai, flask"}, known) == ("sklearn",)
    assert chosen({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, known) == ()


def test_an_instrumentation_that_is_not_known_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error would otherwise switch everything off in silence."""
    assert chosen({"TOCSIN_INSTRUMENT": "sklaern"}, ("sklearn",)) == ()
    assert "TOCSIN_INSTRUMENT names sklaern; expected some of sklearn, all, none" in capsys.readouterr().err


def test_every_instrumentation_starts_without_arguments() -> None:
    """Zero code has none to give."""
    import inspect

    for name in instrumentations():
        signature = inspect.signature(getattr(tocsin, f"instrument_{name}"))
        needed = [
            one.name for one in signature.parameters.values() if one.default is one.empty and one.kind not in {2, 4}
        ]
        assert needed == [], name


@pytest.fixture
def instrumented(tmp_path: Path) -> Path:
    """A folder whose entry points are those that pyproject.toml declares, as an installation would have them."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    info = tmp_path / "site" / "tocsin_entries-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tocsin-entries\nVersion: 1\n")
    lines = [
        line
        for group, entries in declared.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "service.py").write_text(SERVICE)
    return tmp_path


OPENTELEMETRY = (
    sys.executable,
    "-c",
    "from opentelemetry.instrumentation.auto_instrumentation import run; run()",
    sys.executable,
    "service.py",
)


@pytest.mark.parametrize("ours", [True, False], ids=["our distro", "OpenTelemetry's distro"])
def test_opentelemetry_instrument_measures_each_call_once(collector: Any, instrumented: Path, *, ours: bool) -> None:
    """Where OpenTelemetry's own exporter goes to our collector, ours stays quiet; where ours is chosen, it delivers."""
    pytest.importorskip("opentelemetry.distro")
    env = (
        os.environ
        | {
            "PYTHONPATH": str(instrumented / "site"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_SERVICE_NAME": "reader",
            "TOCSIN_USE_CASE": "digits",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_PYTHON_DISTRO": "tocsin" if ours else "distro",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic,langchain,openai",  # installed for other tests; seconds to load
        }
    )

    done = subprocess.run(
        OPENTELEMETRY, cwd=instrumented, env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "[0, 1]\n"), done.stderr
    assert use_cases(collector) == ["digits", "digits"], done.stderr
    assert ("already sends its spans" in done.stderr) is not ours
    resource = {
        pair.key: pair.value.string_value for pair in collector.requests[0].resource_spans[0].resource.attributes
    }
    assert resource["service.name"] == "reader"


def test_an_installed_tocsin_does_not_take_the_place_of_anothers_distro(
    instrumented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenTelemetry takes the first distro it finds; a library in the environment may not change what runs."""
    distros = pytest.importorskip("opentelemetry.distro")
    from tocsin._process import auto

    monkeypatch.syspath_prepend(str(instrumented / "site"))
    monkeypatch.delenv("OTEL_PYTHON_DISTRO", raising=False)

    assert isinstance(auto.distro(), distros.OpenTelemetryDistro)
    monkeypatch.setenv("OTEL_PYTHON_DISTRO", "tocsin")
    assert isinstance(auto.distro(), auto.TocsinDistro)
