"""Every page in a real Chromium, over a store in which every text is somebody's attempt: what runs, what fails, who can use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from _console.accessible import faults
from _console.browser import CHROMIUM
from _console.payloads import payloads
from _console.scripts import looked_at, poisoned
from _console.watching import opened, visit
from _up import up

PAYLOADS = list(payloads())[::40]  # all of them: bench/console.py --parts xss
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: set TOCSIN_CHROMIUM to its binary")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a console over such a store."""
    folder: Path = tmp_path_factory.mktemp("hostile") / "site"
    poisoned(folder, [*PAYLOADS, "digits"])
    with up(folder) as running:
        yield str(running.facts["api"])


def test_nothing_that_others_wrote_runs_and_every_link_leads_to_a_page(address: str) -> None:
    """What a model said is shown as text, and the policy has nothing to stop; a link that fails at night is a missed page."""
    pages, seen = looked_at(address, of_each=1, most=80)

    assert (seen.ran, seen.refused, seen.elsewhere, seen.failed) == ([], [], [], [])
    assert len(pages) > 20


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 360)])
def test_every_page_can_be_used_by_everybody(address: str, *, dark: bool, width: int) -> None:
    """With a screen reader, with poor eyes, at night, on a phone: axe-core finds nothing serious."""
    _, found = faults(address, dark=dark, width=width)

    assert found == []


def test_an_open_page_shows_what_changed_without_being_loaded_again(address: str) -> None:
    """On-call sees the guard trip while they look."""
    with opened(address) as (page, seen):
        visit(page, seen, f"http://{address}/guard")
        page.evaluate("window.__same = true")
        form: dict[str, Any] = {"action": "set", "actor": "ana", "cause": "looked wrong to me", "state": "off"}
        done = page.evaluate(
            "async body => (await fetch('/api/guard/digits', {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)})).status",
            form,
        )
        page.wait_for_selector("main:has-text('looked wrong to me')")
        same = page.evaluate("window.__same")

    assert (done, same) == (200, True)
