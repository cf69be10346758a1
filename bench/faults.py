"""What the collector survives: processes killed, replies lost, disks full and failing, clocks wrong, and more.

    python bench/faults.py --list
    python bench/faults.py kill_9 sigterm --json faults.json    # these, at full size
    python bench/faults.py --short                              # every fault, seconds each, as `make test` runs them
    python bench/faults.py --part alerts                        # those of the alert side: bench/alerts.py

Every fault breaks something, repairs it, and then looks for what was acknowledged: nothing may be missing, nothing stored
twice, and the books must balance. Results are kept by name: a run replaces those it ran, with their own date and seed.
Exits with 1 when a figure misses its goal.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from _faults import Fault, FaultResult, Scale
from _report import Figure, document, show

_MODULES = ("process", "replies", "disks", "clocks", "endurance", "requests", "spool", "store", "upgrades")


def faults() -> Mapping[str, Fault]:
    """List every fault by name."""
    found: dict[str, Fault] = {}
    for module in _MODULES:
        found |= importlib.import_module(f"_faults.{module}").FAULTS
    return MappingProxyType(found)


def figures(name: str, result: FaultResult, scale: Scale) -> list[Figure]:
    """Turn a result into figures."""
    goals = {**result.goals, **scale.pick(full=result.timed_goals, short={})}
    verdicts = {"missing": result.missing, "duplicates": result.duplicates, "crashes": result.crashes}
    return [
        *(Figure(name=f"{name}_{what}", value=value, unit="", goal="== 0") for what, value in verdicts.items()),
        *(
            Figure(name=f"{name}_{what}", value=value, unit="", goal=goals.get(what, ""))
            for what, value in result.counters.items()
        ),
    ]


def keep(file: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Write a fault's entry beside those of others; a short run never replaces a full one."""
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"faults": {}}
    earlier = kept["faults"].get(name)
    if earlier is None or earlier["scale"] == entry["scale"] or entry["scale"] == Scale.full.value:
        kept["faults"][name] = entry
        kept["faults"] = dict(sorted(kept["faults"].items()))
        file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write."""
    known = faults()
    parser = argparse.ArgumentParser(description="Break the collector in every way we know, and count what was lost.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(known)}; none is all")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there, by fault")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--part", choices=("collector", "alerts"), default="collector", help="alerts: bench/alerts.py")
    options = parser.parse_args(arguments)
    if options.part == "alerts":
        alerts = importlib.import_module("alerts")
        return int(alerts.main(["--json", str(options.json)] if options.json else []))
    if unknown := set(options.names) - set(known):
        parser.error(f"expected names among {', '.join(known)}, got {', '.join(sorted(unknown))}")
    if options.list:
        print(*known, sep="\n")
        return 0
    scale = Scale.short if options.short else Scale.full
    missed = 0
    for name in options.names or known:
        print(f"{name}: {scale.value}, seed {options.seed} ...", flush=True)
        began = time.monotonic()
        result = known[name](scale, options.seed)
        seconds = round(time.monotonic() - began, 1)
        shown = figures(name, result, scale)
        show(f"{name}, {scale.value}, seed {options.seed}, {seconds:g} s", shown)
        missed += sum(figure.met is False for figure in shown)
        if options.json:
            said = {"scale": scale.value, "seed": options.seed, "seconds": seconds}
            keep(options.json, name, said | document(shown))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
