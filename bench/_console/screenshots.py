"""Pictures of every page for the documents: light and dark, a desk and a phone."""

import re
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
_HIGHEST: Final = 2_400  # of a picture, in CSS pixels


def screenshots(demo: Path, folder: Path) -> Iterator[Figure]:
    """Look at one of each kind of page over a copy of a finished demo, and keep what was seen."""
    shutil.copytree(demo, folder, symlinks=True)  # the engine keeps its databases behind links
    PLACE.mkdir(exist_ok=True)
    taken = 0
    with up(folder, "--clock", "data") as running:
        address = running.facts["api"]
        pages = crawl(fetching(address), of_each=1)
        for dark, (device, width) in product((False, True), _WIDTHS.items()):
            with opened(address, dark=dark, width=width) as (page, seen):
                for path in pages:
                    visit(page, seen, f"http://{address}{path}")
                    page.evaluate(_DRAWN)
                    height = min(int(page.evaluate("document.documentElement.scrollHeight")), _HIGHEST)
                    name = f"{_name(path)}-{device}-{'dark' if dark else 'light'}.png"
                    page.screenshot(
                        path=PLACE / name, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}
                    )
                    taken += 1
    yield Figure(name="screenshots", value=taken, unit="")


def _name(path: str) -> str:
    parts = [
        re.sub(r"[^A-Za-z0-9]+", "-", unquote(part)).strip("-") for part in path.partition("?")[0].strip("/").split("/")
    ]
    first = parts[0] or "overview"
    return f"{first}-one" if len(parts) > 1 or "?" in path else first
