"""From an installed tocsin to one's own first call on the screen: two commands in an empty folder."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from _console.browser import browser
from _report import Figure
from _up import up


def first_call(folder: Path) -> Iterator[Figure]:
    """Start, send one call, and look until it stands there."""
    folder.mkdir(parents=True)
    began = time.monotonic()
    with up(folder) as running, browser() as chromium:
        page = chromium.new_page()
        page.goto(f"http://{running.facts['api']}/")
        command = [sys.executable, "-m", "tocsin_console", "send-test", "--data-dir", "data"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        page.wait_for_selector("text=tocsin-test", timeout=60_000)
        took = time.monotonic() - began
    yield Figure(name="first_call_on_screen_s", value=took, unit="s", goal="<= 60")
