"""The week's review by keyboard in a real browser, over a real ``tocsin up`` that is killed in the middle."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.end_to_end.conftest import Sender, Up, free_port, running
from tests.end_to_end.conftest import _wait_for as wait_for

from _console.browser import CHROMIUM, browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZE = 20
PRESS = """({ key, times }) => {
    for (let n = 0; n < times; n += 1) document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""
PATIENCE_MS = 60_000
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: set TOCSIN_CHROMIUM to its binary")


@pytest.fixture
def page() -> "Iterator[Page]":
    """An empty page whose script must not fail."""
    failed: list[str] = []
    with browser() as chromium:
        opened = chromium.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        opened.on("pageerror", lambda error: failed.append(str(error)))
        yield opened
    assert failed == []


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """One with 60 calls, on a port that it has again after a restart."""
    with running(tmp_path, "--api", f"127.0.0.1:{free_port()}", "--clock", "data") as started:
        sender = Sender(started.facts["grpc"])
        while len(sender.acknowledged) < 3 * SIZE:
            sender.send()
        sender.end()
        wait_for(lambda: started.query("SELECT count() FROM ai_calls")[0][0] == 3 * SIZE, what="the calls")
        yield started


class Reviewer:
    """Presses keys as soon as there is a call to judge, and remembers what was said of which."""

    def __init__(self, page: "Page", address: str) -> None:
        self.page = page
        self.address = f"http://{address}/review/default/sums"
        self.said: dict[str, str] = {}

    @property
    def item(self) -> str:
        """The call that is shown."""
        shown: str = self.page.evaluate("document.querySelector('[data-item]')?.dataset.item || ''")
        return shown

    def begin(self) -> None:
        """Draw, say who it is, and take the first call."""
        self.page.goto(self.address)
        self.page.fill("input[name=actor]", "ana")
        self.page.click("text=Draw the sample")
        self.page.click("button.main")
        self.page.wait_for_selector("[data-item]")
        self.page.wait_for_load_state()  # the script hears keys from then on

    def press(self, key: str, *, times: int = 1) -> str:
        """Judge the call that is shown."""
        shown = self.item
        if times == 1:
            self.page.keyboard.press(key)
        else:  # at once, however slow the driver is
            self.page.evaluate(PRESS, {"key": key, "times": times})
        self.said[shown] = key
        return shown

    def see_next(self, shown: str) -> None:
        """Wait until another call is shown, or none."""
        self.page.wait_for_function(
            "shown => (document.querySelector('[data-item]')?.dataset.item || '') !== shown", arg=shown
        )

    def judge(self, key: str, *, times: int = 1) -> None:
        """Judge the call that is shown, and wait for the next."""
        self.see_next(self.press(key, times=times))


def test_twenty_reviews_survive_a_reload_a_double_press_an_outage_and_a_kill(page: "Page", up: Up) -> None:
    """Half an hour of a person's week: lost once, nobody does it again."""
    reviewer = Reviewer(page, up.facts["api"])
    reviewer.begin()

    reviewer.judge("y")
    reviewer.judge("n", times=2)  # pressed twice: the next call is not judged by it
    page.keyboard.press("c")
    page.keyboard.type("looks odd, y n 1 2")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_function("document.querySelector('[name=comment]').value === 'looks odd, y n 1 2'")
    reviewer.judge("1")
    mistaken = reviewer.press("5")
    reviewer.see_next(mistaken)
    page.keyboard.press("u")
    page.wait_for_function("item => document.querySelector('[data-item]').dataset.item === item", arg=mistaken)
    reviewer.judge("n")
    page.route("**/review/score", lambda route: route.abort())
    cut_off = reviewer.press("y")
    page.wait_for_selector("text=not sent yet")
    page.unroute("**/review/score")
    reviewer.see_next(cut_off)
    up.end(signal.SIGKILL)
    reviewer.press("n")
    page.wait_for_selector("text=not sent yet")
    up.start()
    page.goto(reviewer.address)  # as after a reload: what was not sent is sent first
    page.wait_for_selector("[data-item]")
    for key in "yn12345" * 2:
        reviewer.judge(key)

    assert page.locator("progress").get_attribute("value") == str(SIZE)
    assert page.locator("text=of all answers are right").count() == 1
    assert recorded(up) == reviewer.said
    assert up.query("SELECT comment FROM outcomes FINAL WHERE comment != ''") == [["looks odd, y n 1 2"]]


def recorded(up: Up) -> dict[str, str]:
    """Give the key that each recorded outcome stands for."""
    sql = (
        "SELECT call_id, count() AS rows, any(correct), any(score) FROM outcomes FINAL WHERE kind = 'review'"
        " AND (correct IS NOT NULL OR score IS NOT NULL) GROUP BY call_id LIMIT 100"
    )
    loaded: Callable[[], Any] = lambda: (found := up.query(sql)) and len(found) == SIZE and found  # noqa: E731
    rows = wait_for(loaded, what="the outcomes")
    assert {row[1] for row in rows} == {1}
    return {row[0]: ("y" if row[2] else "n") if row[3] is None else str(round(row[3] * 4) + 1) for row in rows}
