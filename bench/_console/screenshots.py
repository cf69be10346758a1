"""Pictures of every page for the documents: light and dark, a desk and a phone."""

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from _console.crawl import crawl
from _console.scripts import fetching
from _console.watching import opened, visit
from _report import Figure
from _up import up

PLACE: Final = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
_WIDTHS: Final = {"desk": 1280, "phone": 360}
# Charts below the edge are loaded when somebody scrolls there; a picture waits for them.
_DRAWN: Final = """async () => {
  for (const image of document.images) image.loading = 'eager';
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
}"""
_HIGHEST: Final = 2_000  # of a picture, in CSS pixels


def screenshots(demo: Path, folder: Path) -> Iterator[Figure]:
    """Look at one of each kind of page over a copy of a finished demo, and keep what was seen."""
    shutil.copytree(demo, folder, symlinks=True)  # the engine keeps its databases behind links
    PLACE.mkdir(exist_ok=True)
    taken = 0
    with up(folder, "--clock", "data") as running:
        address = running.facts["api"]
        pages = _named(crawl(fetching(address), of_each=1))
        for dark, (device, width) in product((False, True), _WIDTHS.items()):
            with opened(address, dark=dark, width=width) as (page, seen):
                for name, path in pages.items():
                    visit(page, seen, f"http://{address}{path}")
                    page.evaluate(_DRAWN)
                    height = min(int(page.evaluate("document.documentElement.scrollHeight")), _HIGHEST)
                    page.screenshot(
                        path=PLACE / f"{name}-{device}-{'dark' if dark else 'light'}.jpg",
                        type="jpeg",
                        quality=75,
                        full_page=True,
                        clip={"x": 0, "y": 0, "width": width, "height": height},
                    )
                    taken += 1
    yield Figure(name="screenshots", value=taken, unit="")


def _named(pages: list[str]) -> dict[str, str]:
    """Give one address for each name: the first, without parameters but where they are what is shown."""
    found: dict[str, str] = {}
    for path in pages:
        place, _, query = path.partition("?")
        first, *more = [unquote(part) for part in place.strip("/").split("/")]
        if not query or first in ("call", "sql"):
            found.setdefault(f"{first or 'overview'}{'-one' if more else ''}", path)
    return found
