"""Whether pages arrive: through kills, an outage, in time; whether rules fire when Prometheus' would; whether hostile texts act.

    python bench/alerts.py [--json FILE]
    python bench/alerts.py --kills 100 --processes 5 --minutes 2     # shorter

promtool, Prometheus and Alertmanager are asked where TOCSIN_PROMTOOL and TOCSIN_ALERTMANAGER name them, or the PATH has them; without
them their figures are left out. Exits with 1 when a figure misses its goal.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # bench._alertmanager, as tests import it

from bench._alertmanager import alertmanager_binary

from _alerts.figures import hostile_figures
from _alerts.histories import run
from _alerts.kills import injected, killed
from _alerts.live import undelivered
from _alerts.oracle import disagreements, promtool
from _alerts.outage import outage
from _alerts.paging import latencies
from _alerts.standby import measure
from _alerts.zombies import zombies
from _report import Figure, keep, show
from _report import arguments as described

_PARTS = ("oracle", "outage", "kills", "zombies", "paging", "hostile", "histories", "standby")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take every figure, print them, write them."""
    parser = described("Whether pages arrive, and when.")
    parser.add_argument(
        "--kills", type=int, default=1_000, help="ends between send and save, those of processes among them"
    )
    parser.add_argument("--processes", type=int, default=50, help="real processes among them, ended by SIGKILL")
    parser.add_argument("--minutes", type=int, default=10, help="of the run that times pages, at most 10")
    parser.add_argument("--rules", type=int, default=1_000, help="of the run that times pages")
    parser.add_argument("--histories", type=int, default=10_000, help="each cut anywhere, and gone on with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", nargs="*", choices=_PARTS, default=list(_PARTS), help="only these")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        parts = {
            "oracle": lambda: _oracle(Path(folder), asked.seed),
            "outage": lambda: _outage(Path(folder)),
            "kills": lambda: _kills(Path(folder), asked.kills, asked.processes),
            "zombies": lambda: _zombies(Path(folder)),
            "paging": lambda: _paging(Path(folder), asked.rules, asked.minutes),
            "hostile": lambda: iter(hostile_figures()),
            "histories": lambda: _histories(asked.histories),
            "standby": _standby,
        }
        figures = [figure for name, take in parts.items() if name in asked.parts for figure in take()]
    show("Whether pages arrive", figures)
    if asked.json:
        keep(asked.json, figures)
    return 1 if any(figure.met is False for figure in figures) else 0


def _histories(examples: int) -> Iterator[Figure]:
    lived, differing = run(examples)
    for each in differing[:3]:
        _note(each[:2_000])
    yield Figure(name="alerts_histories", value=lived, unit="", goal=">= 10000")
    yield Figure(name="alerts_histories_differing", value=len(differing), unit="", goal="== 0")


def _standby() -> Iterator[Figure]:
    if binary := os.environ.get("CLICKHOUSE_BINARY"):
        yield from measure(Path(binary))


def _kills(folder: Path, kills: int, processes: int) -> Iterator[Figure]:
    real = killed(folder / "killed", kills=processes, note=_note)
    inner = injected(folder / "injected", kills=kills - processes, note=_note)
    both = (real, inner)
    yield Figure(name="kills", value=sum(each.kills for each in both), unit="", goal=f">= {kills}")
    yield Figure(name="kills_of_processes", value=real.kills, unit="")
    yield Figure(name="alerts_lost", value=sum(each.lost for each in both), unit="", goal="== 0")
    yield Figure(name="alerts_duplicated", value=sum(each.duplicated for each in both), unit="", goal="== 0")
    most = max(each.most_resends for each in both)
    yield Figure(name="raw_resends_a_kill_max", value=most, unit="", goal="<= 1")


def _zombies(folder: Path) -> Iterator[Figure]:
    rounds = 50
    found = zombies(folder / "zombies", rounds=rounds)
    yield Figure(name="leases_lost", value=rounds, unit="")
    yield Figure(name="zombie_alerts_lost", value=rounds - found.keys, unit="", goal="== 0")
    yield Figure(name="zombie_notices_too_many", value=found.notices - found.keys, unit="", goal="== 0")
    yield Figure(name="zombie_raw_resends_max", value=found.most_raw - 1, unit="", goal="<= 1")
    yield Figure(name="zombie_stale_writes_that_won", value=found.won, unit="", goal="== 0")


def _outage(folder: Path) -> Iterator[Figure]:
    alerts = 200
    found = outage(folder / "outage", alerts=alerts)
    _note(f"the receiver refused {found.refused} attempts in its hour")
    yield Figure(name="outage_alerts", value=alerts, unit="")
    yield Figure(name="outage_lost", value=found.lost, unit="", goal="== 0")
    yield Figure(name="outage_duplicated", value=found.duplicated, unit="", goal="== 0")
    yield Figure(name="outage_raw_resends", value=found.raw, unit="")
    yield Figure(name="outage_delivered_after_s", value=found.recovered_s, unit="s", goal="<= 120")


def _paging(folder: Path, rules: int, minutes: int) -> Iterator[Figure]:
    taken = latencies(folder / "paging", rules=rules, slots=minutes, note=_note)
    cuts = quantiles(taken, n=100)
    yield Figure(name="timed_pages", value=len(taken), unit="")
    yield Figure(name="slot_to_page_p50_s", value=cuts[49], unit="s")
    yield Figure(name="slot_to_page_p99_s", value=cuts[98], unit="s", goal="<= 5")


def _oracle(folder: Path, seed: int) -> Iterator[Figure]:
    tool, theirs = promtool(), alertmanager_binary()
    if tool is None:
        _note("no promtool here: set TOCSIN_PROMTOOL")
        return
    found = disagreements(tool, folder / "promtool", series=500, slots=240, seed=seed)
    yield Figure(name="prometheus_series", value=500, unit="")
    yield Figure(name="prometheus_disagreements", value=found, unit="", goal="== 0")
    server = tool.with_name("prometheus")
    if theirs is None or not server.exists():
        _note("no Prometheus and Alertmanager here: set TOCSIN_ALERTMANAGER")
        return
    missing = undelivered(server, theirs, folder / "live")
    yield Figure(name="live_undelivered", value=missing, unit="", goal="== 0")


def _note(said: str) -> None:
    print(f"  {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
