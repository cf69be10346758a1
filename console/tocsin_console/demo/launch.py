"""Starts the demo's two processes: ``tocsin up``, as anybody would start it, and the service that it watches."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tocsin_console.client import Client
from tocsin_console.demo.processes import Child
from tocsin_console.demo.receivers import Mailbox, OnDelivery, WebhookReceiver
from tocsin_console.demo.workspace import Workspace, new_secret
from tocsin_console.errors import FINDING, ConsoleError, Unreachable
from tocsin_console.running import read_run_file

TOCSIN = (sys.executable, "-m", "tocsin_console")
_STARTED_WITHIN_S = 60.0


class DemoFailed(ConsoleError):  # noqa: N818 - says what is so
    """A process of the demo ended or fell silent before the story did."""

    exit_code = FINDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A running ``tocsin up``."""

    child: Child
    addresses: Mapping[str, Any]  # from its run.json


def start_up(processes: ExitStack, workspace: Workspace, on_delivery: OnDelivery) -> Up:
    """Start the receivers, configure tocsin to reach them, and start it.

    Raises:
        DemoFailed: it ended, or is not ready in time; the message holds the end of its log.
    """
    secret = new_secret()
    workspace.prepare(secret)
    webhook = processes.enter_context(WebhookReceiver(secret, on_delivery))
    mailbox = processes.enter_context(Mailbox(on_delivery))
    workspace.write(webhook_url=webhook.url, smtp_port=mailbox.port)
    command = [*TOCSIN, "up", "--clock", "data"]
    up = processes.enter_context(Child(command, log=workspace.log("up"), cwd=workspace.folder, environment={}))
    deadline = time.monotonic() + _STARTED_WITHIN_S
    while not (addresses := _ready(workspace)):
        if up.exit_code is not None:
            raise DemoFailed(f"tocsin up ended with code {up.exit_code}:\n{up.tail()}")
        if time.monotonic() > deadline:
            raise DemoFailed(f"tocsin up was not ready within {_STARTED_WITHIN_S:.0f} s:\n{up.tail()}")
        time.sleep(0.1)
    return Up(child=up, addresses=addresses)


def start_service(processes: ExitStack, workspace: Workspace, options: Sequence[str]) -> Child:
    """Start the service, which trains its model and then waits to be told where tocsin listens."""
    environment = {
        # A replayed day takes 0.2 s: let it leave in one piece rather than in two, each with the cost of an insert.
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OMP_NUM_THREADS": "1",  # small matrices: threads only cost here
    }
    command = [sys.executable, "-m", "tocsin_console.demo.service", *options]
    log = workspace.log("service")
    return processes.enter_context(Child(command, log=log, cwd=workspace.folder, environment=environment, talks=True))


def introduce(service: Child, up: Up) -> None:
    """Tell the service where tocsin listens."""
    service.say(json.dumps({"grpc": up.addresses["grpc"], "guard": up.addresses["guard"]}))


def _ready(workspace: Workspace) -> Mapping[str, Any]:
    addresses = read_run_file(workspace.run_file)
    if "api" not in addresses:
        return {}
    try:
        ready = Client(str(addresses["api"]), where="").get("/readyz")["ready"]
    except Unreachable:
        return {}
    return addresses if ready else {}
