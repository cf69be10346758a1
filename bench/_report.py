"""What every benchmark prints and writes: one table for people, one JSON for machines."""

import argparse
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("tocsin", "chdb-core", "clickhouse-connect", "grpcio", "protobuf", "opentelemetry-sdk")
_COMPARED = {">=": float.__ge__, "<=": float.__le__, "==": float.__eq__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number, beside what we want it to be."""

    name: str
    value: float
    unit: str
    goal: str = ""  # ">= 100000", "<= 25", "== 0"; empty when there is none

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if not self.goal:
            return None
        sign, wanted = self.goal.split()
        return _COMPARED[sign](float(self.value), float(wanted))


def arguments(description: str) -> argparse.ArgumentParser:
    """Make a parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


def report(title: str, figures: Sequence[Figure], file: Path | None) -> None:
    """Print the figures as a table and, where asked, write them as JSON."""
    show(title, figures)
    if file is not None:
        file.write_text(json.dumps(document(figures), indent=2) + "\n", encoding="utf-8")


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    print(f"\n{title}", flush=True)
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        verdict = {None: "", True: "met", False: "NOT MET"}[figure.met]
        print(
            f"  {figure.name:<{width}}  {figure.value:>14,.2f} {figure.unit:<12} {figure.goal:<12} {verdict}".rstrip(),
            flush=True,
        )


def keep(file: Path, figures: Sequence[Figure]) -> None:
    """Write the figures; those of parts that were not run stay as they were, with their own date."""
    made = document(figures)
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        named = {figure.name for figure in figures}
        kept = [{"date": before["date"], **each} for each in before["figures"] if each["name"] not in named]
        made["figures"] += kept
    file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def document(figures: Sequence[Figure]) -> dict[str, Any]:
    """Say when, on what and with which versions the figures were taken, beside them."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "processor": _processor()},
        "figures": [
            {"name": one.name, "value": one.value, "unit": one.unit, "goal": one.goal, "met": one.met}
            for one in figures
        ],
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
