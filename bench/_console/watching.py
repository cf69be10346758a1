"""A page of the console, and everything that a browser notices while it is looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from _console.browser import browser

# What a payload would do, and what the policy says of it: told to us by the page itself.
_LISTEN: Final = """
window.__found = [];
window.__hit = (what) => window.__found.push('ran ' + what);
document.addEventListener('securitypolicyviolation', (e) => window.__found.push('policy ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));
"""


@dataclass
class Seen:
    """What happened that should not have."""

    ran: list[str] = field(default_factory=list)  # scripts of others
    refused: list[str] = field(default_factory=list)  # by the policy: somebody tried
    failed: list[str] = field(default_factory=list)  # answers from 400 on, and scripts of ours that failed
    elsewhere: list[str] = field(default_factory=list)  # requests to anybody but us

    @property
    def all(self) -> list[str]:
        """Everything."""
        return [*self.ran, *self.refused, *self.failed, *self.elsewhere]


@contextmanager
def opened(address: str, *, dark: bool = False, width: int = 1280) -> Iterator[tuple[Any, Seen]]:
    """Open an empty page of a browser of its own.

    Args:
        address: Of the console, as host and port: whatever is asked of anybody else is noted and refused.
        dark: Whether the reader prefers dark pages.
        width: Of the window, in CSS pixels.
    """
    seen = Seen()
    with browser() as chromium:
        context = chromium.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 900},
            timezone_id="Europe/Berlin",
        )
        context.set_default_timeout(60_000)
        page = context.new_page()
        _watch(page, seen, address)
        yield page, seen


def visit(page: Any, seen: Seen, url: str) -> None:
    """Open a page and wait until it has loaded everything that it shows at once; live streams go on."""
    page.goto(url, wait_until="load")
    seen.ran += [f"{found} at {url}" for found in page.evaluate("window.__found") if found.startswith("ran ")]
    seen.refused += [f"{found} at {url}" for found in page.evaluate("window.__found") if found.startswith("policy ")]


def _watch(page: Any, seen: Seen, address: str) -> None:
    def dialog(box: Any) -> None:
        seen.ran.append(f"a dialog: {box.message}")
        box.dismiss()

    def route(asked: Any) -> None:
        url = asked.request.url
        if url.startswith((f"http://{address}/", "data:", "about:", "blob:")):
            asked.continue_()
        else:
            seen.elsewhere.append(url[:200])
            asked.abort()

    def answered(answer: Any) -> None:
        if answer.status >= 400:
            seen.failed.append(f"{answer.status} {answer.url[:300]}")

    page.add_init_script(_LISTEN)
    page.on("dialog", dialog)
    page.on("pageerror", lambda error: seen.failed.append(f"{page.url}: {error}"))
    page.on("response", answered)
    page.route("**/*", route)
