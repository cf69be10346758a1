"""Which parts of tocsin one process runs: all of them, or one of the three that run apart over a server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

from tocsin_alerts.durations import format_duration
from tocsin_collector.correct.prices import Synced
from tocsin_collector.load.fleet import Fleet
from tocsin_collector.load.tally import CollectorStats, Tally
from tocsin_collector.load.watermark import Watermark
from tocsin_collector.spool.second_chance import Batch, Queue
from tocsin_collector.store.lease import Holder
from tocsin_console.client import Client
from tocsin_console.config import Config
from tocsin_console.errors import Unreachable, UsageProblem
from tocsin_console.loop import LoopStats
from tocsin_console.parts import Guard

Role = Literal["up", "collector", "evaluator", "console"]

LISTENS: Final[Mapping[Role, tuple[str, ...]]] = {
    "up": ("grpc", "http", "api", "guard"),
    "collector": ("grpc", "http", "api"),
    "evaluator": ("api", "guard"),
    "console": ("api",),
}
NO_DELIVERY: Final[Mapping[str, Any]] = {
    "channels": [],
    "pages": 0,
    "template_errors": 0,
    "evidence_errors": 0,
    "last_error": "",
}


def require_server(role: Role, config: Config) -> None:
    """Refuse to run a part alone over the embedded engine, which one process holds.

    Raises:
        UsageProblem: no server is configured.
    """
    if role != "up" and config.store_url is None:
        raise UsageProblem(
            f"expected a ClickHouse server for 'tocsin {role}', since only one process can open an embedded store: "
            f"set store.url in tocsin.yaml, or run 'tocsin up'"
        )


class CollectorBooks(Protocol):
    """What the API asks a collector, or what stands for all of them."""

    def stats(self) -> CollectorStats:
        """Read the books."""
        ...

    def watermark(self) -> Watermark:
        """Say up to when everything is loaded."""
        ...


def _elsewhere_priced() -> Synced:
    raise UsageProblem("one process corrects calls: ask the evaluator, with --api and the address where it listens")


def no_spool(batch: Batch) -> bool:
    """Say that there is no spool here to queue anything in."""
    raise UsageProblem(
        f"expected a spool for {len(batch.requests)} requests, and this process has none: do this where a collector runs"
    )


def _heard_elsewhere() -> None:
    """Collectors read keys every few seconds, and the guard's evaluator publishes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """The parts by which a role differs from another, as the API uses them."""

    collector: CollectorBooks
    guard: Guard
    evaluated_through: Callable[[], datetime | None]
    delivery_stats: Callable[[], Mapping[str, Any]]
    loops: Callable[[], Mapping[str, LoopStats]]
    record_outcomes: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]
    keys_changed: Callable[[], None] = _heard_elsewhere
    guard_changed: Callable[[], None] = _heard_elsewhere
    sync_prices: Callable[[], Synced] = _elsewhere_priced
    queue: Queue = no_spool
    spool_max_bytes: int | None = None  # where there is a spool
    reading: Callable[[], Mapping[str, int]] = dict  # where the embedded engine is read


class Elsewhere:
    """Stands for the collectors where this process has none: what they know comes from the store.

    Args:
        role: This process's.
        fleet: All collectors, by what they write down.
        collectors: The API of any of them; None: nobody said where it is.
    """

    def __init__(self, role: Role, fleet: Fleet, *, collectors: Client | None = None) -> None:
        self._role = role
        self._fleet = fleet
        self._collectors = collectors

    def stats(self) -> CollectorStats:
        """Give the books of nobody: each collector keeps its own."""
        return Tally().snapshot()

    def watermark(self) -> Watermark:
        """Say up to when everything is loaded, over all collectors."""
        return self._fleet.watermark()

    def record_outcomes(self, said: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Pass outcomes on to a collector, which has made them durable when this returns.

        Raises:
            UsageProblem: nobody said where a collector is, or it says what is wrong.
            Unreachable: none answers; the outcomes are to be sent again.
        """
        if self._collectors is not None:
            taken: Mapping[str, Any] = self._collectors.post("/api/outcomes", {"outcomes": list(said)})
            return taken
        raise UsageProblem(
            f"expected outcomes at a collector, and 'tocsin {self._role}' is none: say in tocsin.yaml under collector.api where one has its "
            f"API; or send them with tocsin.record_outcome, over OTLP/gRPC, or with --collector of 'tocsin outcomes load' and 'tocsin "
            f"review', to a collector's address (its --grpc, 4317 unless told otherwise), which collector.address says once"
        )


def collectors_of(config: Config) -> Client | None:
    """Give the API of the collectors that the configuration names."""
    if config.collector_api is None:
        return None
    where = f"at {config.collector_api}, which collector.api names as a collector's API"
    return Client(str(config.collector_api), where=where, key=config.peer_secret)


class GuardElsewhere:
    """Passes what a person decides about a guard on to the evaluator, which holds it."""

    def __init__(self, evaluator: "EvaluatorOf") -> None:
        self._evaluator = evaluator

    def set(
        self,
        use_case: str,
        state: Any,
        *,
        actor: str,
        cause: str,
        project: str = "default",
        lasts: timedelta | None = None,
    ) -> Any:
        """Override the guard by hand, until it is released or for a time."""
        span = format_duration(lasts) if lasts else ""
        said = {"action": "set", "state": state, "actor": actor, "cause": cause, "project": project, "for": span}
        return self._evaluator.post(f"/api/guard/{use_case}", said)["guard"]

    def release(self, use_case: str, *, actor: str, project: str = "default") -> Any:
        """Take an override or a trip back."""
        said = {"action": "release", "actor": actor, "project": project}
        return self._evaluator.post(f"/api/guard/{use_case}", said)["guard"]


class EvaluatorOf:
    """Finds the evaluator that works, by its lease.

    Args:
        holder: Reads the lease.
        secret: What the evaluator knows another part by, where people sign in.
    """

    def __init__(self, holder: Callable[[], Holder | None], *, secret: str = "") -> None:
        self._holder = holder
        self._secret = secret

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Have it do something.

        Raises:
            Unreachable: none works, or its API cannot be reached from here.
        """
        found = self._holder()
        if found is None or not found.is_live:
            raise Unreachable("no evaluator works now, and the guard is its: start one with 'tocsin evaluator'")
        where = (
            f"at {found.address}, where the evaluator {found.holder} says that it listens: do this on its own machine"
        )
        return Client(found.address, where=where, key=self._secret).post(path, body)
