"""The tests on every Python that is here: the lock installed with its hashes, the wheel over it, a named set of tests.

    python bench/pythons.py --json bench/results/pythons.json [--python python3.13] [--set sdk]

One interpreter after the other, each in a virtual environment of its own; figures of those that were not run stay as they were.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import _report
from _release import building
from _report import Figure

ROOT: Final = Path(__file__).resolve().parents[1]
_WORKERS: Final = "3"  # as make test
NAMES: Final = ("python3.11", "python3.12", "python3.13", "python3.14")
# What a Python can break: the SDK whole, and of the server what starts threads and processes, reads files and speaks to
# networks. SQL, documents and pages are the same on every Python; `make test` tests them on one.
SETS: Final = {
    "sdk": ("tests/wire", "tests/instrumentation", "tests/genai"),
    "server": (
        "tests/collector/test_end_to_end.py",
        "tests/collector/test_http.py",
        "tests/alerts/delivery/test_smtp.py",
        "tests/alerts/guard",
        "tests/console/test_api.py",
        "tests/console/test_cli.py",
        "tests/console/test_config.py",
        "tests/end_to_end/test_closed_loop.py",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One Python of this machine."""

    name: str  # 3.13
    version: str  # 3.13.0
    executable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What became of a set of tests."""

    passed: int
    passed_alone: int = 0  # of them: only when they were run again by themselves
    skipped: int
    failed: tuple[str, ...]  # their names


def interpreters(names: Sequence[str]) -> Iterator[Interpreter]:
    """Find those that start; a shim that leads nowhere is not one."""
    code = "import platform, sys; print(platform.python_version(), sys.executable)"
    for name in names:
        found = shutil.which(name)
        done = found and subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
        if done and not done.returncode:
            version, executable = done.stdout.split()
            yield Interpreter(name=version.rpartition(".")[0], version=version, executable=executable)
        else:
            print(f"  {name} is not on PATH, or does not start: not run")


def prepare(interpreter: Interpreter, venv: Path, wheel: Path) -> Path:
    """Make the environment, or take the one that is there, and install the wheel; gives its Python."""
    python = venv / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not python.exists():
        subprocess.run([interpreter.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "constraints.txt")], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return python


def run(python: Path, paths: Sequence[str], scratch: Path) -> Ran:
    """Run tests on one interpreter; those that failed once more, alone, as .ci/run does."""
    first = _pytest(python, scratch, "-n", _WORKERS, "--dist", "loadfile", *paths)
    if not first.failed:
        return first
    second = _pytest(python, scratch, "--last-failed", "--last-failed-no-failures=none", *paths)
    alone = len(first.failed) - len(second.failed)
    return replace(first, passed=first.passed + alone, passed_alone=alone, failed=second.failed)


def _pytest(python: Path, scratch: Path, *more: str) -> Ran:
    report = scratch / "report.xml"
    words = ["-q", "-o", f"cache_dir={scratch / 'cache'}", "-m", "not server", f"--junitxml={report}", *more]
    own = {name: said for name, said in os.environ.items() if name not in {"PYTHONPATH", "CLICKHOUSE_BINARY"}}
    own["PATH"] = f"{python.parent}{os.pathsep}{own['PATH']}"
    subprocess.run([str(python), "-m", "pytest", *words], cwd=ROOT, env=own, check=False)
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - pytest has just written it
    skipped = [case for case in cases if case.find("skipped") is not None]
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    names = sorted(f"{case.get('classname')}.{case.get('name')}" for case in failed)
    return Ran(passed=len(cases) - len(skipped) - len(failed), skipped=len(skipped), failed=tuple(names))


def main() -> int:
    """Run every set on every interpreter."""
    parser = _report.arguments(__doc__ or "")
    parser.add_argument("--python", action="append", metavar="NAME", help=f"of {', '.join(NAMES)}; again for more")
    parser.add_argument("--set", action="append", choices=sorted(SETS), help="which tests; again for more")
    parser.add_argument("--venvs", type=Path, help="keep the environments there, and take those that are there")
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="tocsin-pythons-") as name:
        scratch = Path(name)
        [wheel] = building.build(ROOT, scratch / "dist", "wheel", epoch=0x5F000000)
        for each in interpreters(asked.python or NAMES):
            python = prepare(each, (asked.venvs or scratch) / f"python{each.name}", wheel)
            for one in asked.set or SETS:
                ran = run(python, SETS[one], _made(scratch / f"{each.name}-{one}"))
                bad += len(ran.failed)
                _tell(each, one, ran, asked.json)
    return 1 if bad else 0


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _tell(each: Interpreter, one: str, ran: Ran, file: Path | None) -> None:
    start = f"python{each.name}_{one}"
    figures = [
        Figure(name=f"{start}_passed", value=ran.passed, unit="tests", goal=">= 1"),
        Figure(name=f"{start}_passed_alone", value=ran.passed_alone, unit="tests"),
        Figure(name=f"{start}_failed", value=len(ran.failed), unit="tests", goal="== 0"),
        Figure(name=f"{start}_skipped", value=ran.skipped, unit="tests"),
    ]
    _report.show(f"Python {each.version}, {' '.join(SETS[one])}", figures)
    for name in ran.failed:
        print(f"  failed: {name}")
    if file is None:
        return
    said = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    _report.keep(file, figures)
    made = json.loads(file.read_text(encoding="utf-8"))
    made["interpreters"] = {**said.get("interpreters", {}), each.name: each.version}
    made["sets"] = {name: list(paths) for name, paths in SETS.items()}
    made["failed"] = {**said.get("failed", {}), start: list(ran.failed)}
    file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
