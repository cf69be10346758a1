"""The process of ``tocsin up``: log, banner, signals."""

import logging
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

from tocsin_console.apart import CollectorAlone, ConsoleAlone, EvaluatorAlone
from tocsin_console.composition import Up
from tocsin_console.config import Config
from tocsin_console.ending import latest_end
from tocsin_console.errors import Unreachable
from tocsin_console.process import RoleProcess
from tocsin_console.roles import Role

_END_S = 50.0  # beyond the drain, until the process is gone
_LOOK_S = 1.0
_FILES = 65_536
_log = logging.getLogger(__name__)


_PARTS: Final[Mapping[Role, type[RoleProcess]]] = {
    "up": Up,
    "collector": CollectorAlone,
    "evaluator": EvaluatorAlone,
    "console": ConsoleAlone,
}


def serve(config: Config, *, as_json: bool, role: Role = "up") -> None:
    """Run until SIGTERM or SIGINT; a second one does not wait for what is left. Its process has to end after it."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    _allow_files()
    ended: list[int] = []  # by which signals
    wake: SimpleQueue[None] = SimpleQueue()  # an event could not be set by a handler while the same thread waits for it
    begin_to_end = latest_end(config.drain_s + _END_S)

    def end(number: int, _frame: FrameType | None) -> None:
        if ended:
            os._exit(128 + number)  # as safe as a power cut: what was acknowledged is in the spool
        ended.append(number)
        wake.put(None)
        begin_to_end()  # from here, since a start that hangs would not look
        _log.info("%s: draining", signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    up = _PARTS[role](config)
    try:
        facts = up.start()
        _greet(config, facts, as_json=as_json)
        while not ended:
            if why := up.must_end():
                raise Unreachable(f"{why}: ending, so as to be started anew")
            with suppress(Empty):
                wake.get(timeout=_LOOK_S)
    finally:
        begin_to_end()
        up.stop(drain_s=config.drain_s)
        _log.info("ended")


def _allow_files() -> None:
    """Have as many files and connections open as the system lets us, instead of the 1,024 that it starts with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _greet(config: Config, facts: dict[str, str], *, as_json: bool) -> None:
    from tocsin_console.cli.output import print_json, say

    if as_json:
        print_json(facts)
        return
    page = any(channel.type != "log" and "page" in (channel.severities or ("page",)) for channel in config.channels)
    say(f"tocsin {facts['version']} is up" + ("" if facts["role"] == "up" else f" as {facts['role']}"))
    if "grpc" in facts:
        say(f"  spans and outcomes  {facts['grpc']}  (OTLP/gRPC)")
    if "http" in facts:
        say(f"  spans and logs      http://{facts['http']}  (OTLP/HTTP)")
    say(f"  page and API        http://{facts['api']}/")
    if "guard" in facts:
        say(f"  guard               {facts['guard']}  (flagd sync)")
    if reading := facts.get("clickhouse_http"):
        say(f"  reading             http://{reading}/  (ClickHouse HTTP, read-only: Grafana, SQL clients, curl)")
    elif why := facts.get("clickhouse_http_off"):
        say(f"  reading             {why}")
    say(f"  data                {facts['data_dir']}" + (f" and {config.store.where}" if config.store_url else ""))
    if not page and facts["role"] in {"up", "evaluator"}:
        say("  nobody is told yet: add a webhook or smtp channel to tocsin.yaml")
    say("Next: 'tocsin send-test' in another terminal, then 'tocsin doctor'. Ctrl-C ends it; nothing is lost.")
