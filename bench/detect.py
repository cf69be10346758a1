"""How soon tocsin notices, and how seldom it is wrong: simulated streams through its evaluators, rules and states.

    python bench/detect.py --streams 10                                    # every scenario, 2,000 calls a day
    python bench/detect.py --scenario covariate swap --calls-per-day 200   # these two, small streams
    python bench/detect.py --streams 100 --json detect.json
    python bench/detect.py --scenario stationary --use-cases 100           # with the thresholds of an installation of a hundred
    python bench/detect.py --peers DIR --streams 5                         # River, NannyML and Evidently, on the same calls

A stream is one use case of one project in one database: a classifier that is right in 94 % of its calls and whose confidence
is calibrated, over 28 days of reference. bench/README.md says what is simulated and what is shipped code. A scenario is
drawn from its seed, so a run can be repeated. Figures are kept by scenario and size: a run replaces those it made.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _detect import peers
from _detect.measure import figures
from _detect.run import Outcome, draw_streams, run
from _detect.scenarios import SCENARIOS, Scenario
from _detect.store import open_store
from _report import Figure, arguments, document, show
from tocsin_alerts.budget import strictness
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.plan import Plans
from tocsin_alerts.rules import load_rules
from tocsin_collector.store.database import Database

_AT_ONCE = 25_000_000  # calls that one store holds at a time


def measure(
    database: Database,
    scenario: Scenario,
    *,
    streams: int,
    calls_per_day: int,
    seed: int,
    days: int | None,
    wander: float,
    use_cases: int = 1,
) -> list[Figure]:
    """Run a scenario, some streams at a time, and measure it."""
    drawn = draw_streams(scenario, count=streams, calls_per_day=calls_per_day, seed=seed, days=days, wander=wander)
    at_once = max(1, min(streams, _AT_ONCE // (calls_per_day * drawn[0].days)))
    strict = _strictness(use_cases)
    parts = []
    for first in range(0, streams, at_once):
        said = f"{scenario.name}, {calls_per_day} calls a day, from stream {first} of {streams}"
        parts.append(run(database, scenario, drawn[first : first + at_once], strict=strict, note=_progress(said)))
    together = Outcome(
        streams=tuple(stream for part in parts for stream in part.streams),
        told=tuple(told for part in parts for told in part.told),
        days=drawn[0].days,
    )
    return figures(scenario, together, calls_per_day=calls_per_day, use_cases=use_cases)


def _strictness(use_cases: int) -> float:
    """Say what the shipped rules ask for beyond their own thresholds where so many use cases share the budget of false pages."""
    book = load_rules(evaluators=load_evaluators())
    return strictness(book, Plans(), [("default", f"stream-{number}") for number in range(use_cases)])


def main() -> None:
    """Run what was asked for, and exit with 1 where a goal is missed."""
    given = _arguments()
    scenarios = [SCENARIOS[name] for name in given.scenario or SCENARIOS]
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        database = None if given.peers else open_store(Path(folder))
        for calls_per_day in given.calls_per_day:
            for scenario in scenarios:
                begun = time.perf_counter()
                if database is None:
                    found = _ask_peers(scenario, calls_per_day=calls_per_day, given=given)
                else:
                    found = measure(
                        database,
                        scenario,
                        streams=given.streams,
                        calls_per_day=calls_per_day,
                        seed=given.seed,
                        days=given.days,
                        wander=given.wander,
                        use_cases=given.use_cases,
                    )
                if not found:
                    continue
                show(f"{scenario.name}, {calls_per_day} calls a day, seed {given.seed}", found)
                missed |= any(figure.met is False for figure in found)
                if given.json:
                    took = {"took_s": round(time.perf_counter() - begun, 1)}
                    said = {"seed": given.seed, "streams": given.streams, "wander": given.wander, **took}
                    keep(given.json, {_key(scenario, calls_per_day, given): {**said, **document(found)}})
        if database is not None:
            database.close()
    sys.exit(int(missed))


def _ask_peers(scenario: Scenario, *, calls_per_day: int, given: argparse.Namespace) -> list[Figure]:
    found = peers.installed(given.peers)
    for name, needed in peers.PEERS.items():
        if name not in found:
            print(
                f"{name} is not in {given.peers}: skipped (python -m venv {given.peers / name}, then pip install {needed})"
            )
    if not found:
        return []
    streams = draw_streams(
        scenario,
        count=given.streams,
        calls_per_day=calls_per_day,
        seed=given.seed,
        days=given.days,
        wander=given.wander,
    )
    return peers.compare(found, scenario, streams, note=_progress(scenario.name))


def _key(scenario: Scenario, calls_per_day: int, given: argparse.Namespace) -> str:
    wander = "" if given.wander == 1 else f"_wander_{given.wander:g}"
    shared = "" if given.use_cases == 1 else f"_of_{given.use_cases}"
    return f"{scenario.name}_{calls_per_day}{wander}{shared}{'_peers' if given.peers else ''}"


def keep(file: Path, runs: dict[str, Any]) -> None:
    """Write runs by name beside those that are there, and every figure in one list. JSON has no infinity: it is null."""
    before = json.loads(file.read_text(encoding="utf-8"))["scenarios"] if file.exists() else {}
    together = {**before, **runs}
    every = [figure for one in together.values() if one["wander"] == 1 for figure in one["figures"]]
    text = json.dumps(_finite({"figures": every, "scenarios": together}), indent=2, allow_nan=False)
    file.write_text(text + "\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _progress(said: str) -> Any:
    def note(what: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{said}: {what}\x1b[K", end="", file=sys.stderr, flush=True)

    return note


def _arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = arguments("How soon tocsin notices, and how seldom it is wrong.")
    parser.add_argument("--scenario", nargs="+", choices=sorted(SCENARIOS), help="which ones; all of them unless given")
    parser.add_argument("--streams", type=int, default=100, help="of each scenario")
    parser.add_argument("--calls-per-day", type=int, nargs="+", default=[2_000], metavar="N")
    parser.add_argument(
        "--days", type=int, help="of history, the reference's 28 included; as the scenario needs unless given"
    )
    parser.add_argument("--seed", type=int, default=24)
    parser.add_argument("--peers", type=Path, metavar="DIR", help="ask peers instead, each in an environment DIR/NAME")
    parser.add_argument("--wander", type=float, default=1.0, help="times the slow wander that streams have")
    parser.add_argument(
        "--use-cases",
        type=int,
        default=1,
        help="as many share one rotation's budget of false pages: rules ask for more",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
