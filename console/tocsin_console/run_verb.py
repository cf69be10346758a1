"""``tocsin run -- CMD``: run a Python command with instrumentation and without a changed line.

Standard library only, and nothing of the SDK: the command should start at once.
"""

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_OPTIONS = {
    "use_case": "TOCSIN_USE_CASE",
    "service_name": "OTEL_SERVICE_NAME",
    "endpoint": "TOCSIN_ENDPOINT",
    "guard_endpoint": "TOCSIN_GUARD_ENDPOINT",
    "instrument": "TOCSIN_INSTRUMENT",
}


def parser() -> argparse.ArgumentParser:
    """Give what reads the verb's options."""
    made = argparse.ArgumentParser(
        prog="tocsin run",
        description="Run a Python command with instrumentation: tocsin run -- python service.py. "
        "Models are observed, spans go to TOCSIN_ENDPOINT, else OTEL_EXPORTER_OTLP_ENDPOINT, else http://127.0.0.1:4317. "
        "The command's exit code, signals and output are its own.",
    )
    made.add_argument("--use-case", help="the use case of calls that do not name one")
    made.add_argument("--service-name", help="service.name of the spans")
    made.add_argument("--endpoint", help="where spans go, such as http://127.0.0.1:4317")
    made.add_argument("--guard-endpoint", help="where the guard is read, such as 127.0.0.1:8015")
    made.add_argument("--instrument", metavar="NAMES", help="only these, with commas between: sklearn,openai")
    made.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    made.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments, or a .py file"
    )
    return made


def run(arguments: Sequence[str]) -> int:
    """Run a command with the SDK in it; does not return when the command starts."""
    reading = parser()
    told = reading.parse_args(arguments)
    command = _command(told.command[1:] if told.command[:1] == ["--"] else told.command, told.module)
    if not command:
        reading.error("expected a command after --, such as: tocsin run -- python service.py")
    changed = environment({name: getattr(told, name) for name in _OPTIONS}, os.environ)
    try:
        if os.name == "posix":
            changed["TOCSIN_RUN_PID"] = str(os.getpid())
            os.execvpe(command[0], command, changed)  # noqa: S606 - running the given command is what this verb is for
        return _run_beside(command, changed)
    except OSError as error:
        sys.stderr.write(f"tocsin run: {command[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126


def environment(told: Mapping[str, str | None], base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment like `base` in which every Python process starts tocsin by itself.

    A ``sitecustomize`` of ours comes first on PYTHONPATH; it starts tocsin, then whatever ``sitecustomize`` there was.
    """
    made = dict(base)
    ours = str(bootstrap())
    paths = [path for path in made.get("PYTHONPATH", "").split(os.pathsep) if path and path != ours]
    made["PYTHONPATH"] = os.pathsep.join([ours, *paths])
    return made | {_OPTIONS[name]: value for name, value in told.items() if value}


def bootstrap() -> Path:
    """Find the folder of our ``sitecustomize`` without importing the SDK."""
    spec = importlib.util.find_spec("tocsin")
    if spec is None or not spec.submodule_search_locations:
        raise OSError(f"the package tocsin is not installed beside {__name__}")
    return Path(spec.submodule_search_locations[0]) / "_bootstrap"


def _command(words: list[str], module: str | None) -> list[str]:
    if module is not None:
        return [sys.executable, "-m", module, *words]
    if words and words[0].endswith(".py") and not (os.sep in words[0] and os.access(words[0], os.X_OK)):
        return [sys.executable, *words]
    return words


def _run_beside(command: list[str], changed: dict[str, str]) -> int:
    """Run it as a child where a process cannot become another one: Windows.

    Ctrl+C reaches both; the child decides what it means.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, env=changed, check=False).returncode
