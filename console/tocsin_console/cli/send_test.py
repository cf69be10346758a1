"""``tocsin send-test``: one real AI call over OTLP, until it can be queried."""

import time
from typing import Annotated, Any

import typer

from tocsin_console.checkup import TEST_USE_CASE
from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect
from tocsin_console.cli.output import cell, print_json, say
from tocsin_console.client import Client
from tocsin_console.errors import Unreachable

_POLL_S = 0.02


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("send-test")(send_test)


def send_test(
    *,
    timeout_s: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for it.")] = 15.0,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Send one call as a service would, wait until it can be queried, and show it."""
    client = connect(config, data_dir, api)
    endpoint = client.get("/api/status")["addresses"]["grpc"]
    begun = time.monotonic()
    handle, call_id = _send(str(endpoint), timeout_s)
    acked_s = time.monotonic() - begun
    row = _find(client, call_id, begun + timeout_s)
    found_s = time.monotonic() - begun
    if json:
        print_json({"handle": handle, "acknowledged_s": acked_s, "queryable_s": found_s, "call": row})
        return
    say(f"acknowledged after {acked_s * 1000:.0f} ms, queryable after {found_s * 1000:.0f} ms")
    for name, value in row.items():
        if value not in (None, "", [], {}, 0):
            say(f"  {name:16} {cell(value)}")
    say(f"try: tocsin outcomes add {handle} --correct")


def _send(endpoint: str, timeout_s: float) -> tuple[str, str]:
    import tocsin
    from tocsin_wire import unpack_handle

    tocsin.init(service_name="tocsin-send-test", endpoint=f"http://{endpoint}")
    observed = tocsin.observe(TEST_USE_CASE, task="classification", model_version="none", prompt_version="")
    with observed as call:
        call.set_input(question="is this on?", length=11)
        call.set_output(label="yes", probabilities={"yes": 0.97, "no": 0.03})
        call.confidence = 0.97
        handle = str(call.handle)
    if not tocsin.flush(timeout_s):
        raise Unreachable(f"the collector at {endpoint} did not take the call within {timeout_s:g} s: look at its log")
    tocsin.shutdown()
    return handle, unpack_handle(handle).call_id


def _find(client: Client, call_id: str, until: float) -> dict[str, Any]:
    while time.monotonic() < until:
        call = client.get("/api/call", {"use_case": TEST_USE_CASE, "call_id": call_id})["call"]
        if call is not None:
            return dict(call)
        time.sleep(_POLL_S)
    raise Unreachable(
        "the call was acknowledged but cannot be queried yet: see 'tocsin status', and the log of 'tocsin up'"
    )
