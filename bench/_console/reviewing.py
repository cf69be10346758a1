"""Twenty reviews by keyboard, by somebody who does not think."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from _console.browser import browser
from _load import prepared, send
from _report import Figure
from _up import up

REVIEWS = 20
_CALLS = 2_000
_BATCH = 100
_NEXT = "shown => (document.querySelector('[data-item]')?.dataset.item || '') !== shown"


def reviewing(folder: Path) -> Iterator[Figure]:
    """Draw a sample of fresh calls, and answer each as soon as it is shown."""
    folder.mkdir()
    with up(folder) as running:
        port = int(str(running.facts["grpc"]).rpartition(":")[2])
        requests = prepared(_BATCH, 1, ai_share=1.0)
        send(port, requests, 1, 60, SimpleQueue(), most=_CALLS // _BATCH)
        address = running.facts["api"]
        _until_stored(address)
        with browser() as chromium:
            page = chromium.new_page()
            page.goto(f"http://{address}/review/default/digit-reader")
            page.fill("input[name=actor]", "bench")
            page.click("text=Draw the sample")
            page.click("button.main")
            page.wait_for_selector("[data-item]")
            page.wait_for_load_state()
            began = time.perf_counter()
            for number in range(REVIEWS):
                shown = page.get_attribute("[data-item]", "data-item")
                page.keyboard.press("yn12345"[number % 7])
                page.wait_for_function(_NEXT, arg=shown)
            took = time.perf_counter() - began
            scored = int(page.get_attribute("progress", "value"))
    yield Figure(name="review_scored", value=scored, unit="", goal=f"== {REVIEWS}")
    yield Figure(name="review_s", value=took, unit="s", goal="<= 20")


def _until_stored(address: str) -> None:
    deadline = time.monotonic() + 120
    while _stored(address) < _CALLS:
        if time.monotonic() > deadline:
            raise SystemExit(f"expected {_CALLS} stored calls within two minutes: look at the log of up")
        time.sleep(0.1)


def _stored(address: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=60)
    sql = json.dumps({"sql": "SELECT count() FROM ai_calls"})
    connection.request("POST", "/api/query", sql, {"content-type": "application/json"})
    rows = json.loads(connection.getresponse().read())["rows"]
    connection.close()
    return int(rows[0][0])
