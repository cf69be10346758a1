"""Every page, light and dark, wide and narrow, as axe-core judges it."""

import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from _console.crawl import crawl
from _console.scripts import fetching
from _console.watching import opened, visit
from _report import Figure
from _up import up

GRAVE = ("serious", "critical")
# The first thing that reaches beyond the window and that nothing around it scrolls or cuts.
_WIDER = """() => {
  const edge = document.documentElement.clientWidth + 1;
  if (document.documentElement.scrollWidth <= edge) return [];
  const held = (node) => { for (let each = node.parentElement; each; each = each.parentElement) if (getComputedStyle(each).overflowX !== 'visible') return true; };
  const wide = [...document.querySelectorAll('body *')].filter((node) => node.getBoundingClientRect().right > edge && !held(node));
  return [wide.length ? wide[wide.length - 1].outerHTML.slice(0, 300) : 'nothing that can be named'];
}"""


def faults(address: str, *, dark: bool, width: int) -> tuple[int, list[str]]:
    """Look at one of each kind of page.

    Returns:
        How many, and what of them somebody cannot use, or what is wider than the window.
    """
    from axe_playwright_python.sync_playwright import Axe

    pages, found = crawl(fetching(address), of_each=1), []
    with opened(address, dark=dark, width=width) as (page, seen):
        for path in pages:
            visit(page, seen, f"http://{address}{path}")
            judged: Any = Axe().run(page).response
            found += [
                f"{path} {fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]}"
                for fault in judged["violations"]
                if fault["impact"] in GRAVE
            ]
            found += [f"{path} is wider than a window of {width}: {what}" for what in page.evaluate(_WIDER)]
    return len(pages), [*found, *seen.all]


def accessible(demo: Path, folder: Path) -> Iterator[Figure]:
    """Judge every page over a copy of a finished demo."""
    shutil.copytree(demo, folder, symlinks=True)  # the engine keeps its databases behind links
    grave, looked = 0, 0
    with up(folder, "--clock", "data") as running:
        for dark, width in product((False, True), (1280, 360)):
            pages, found = faults(running.facts["api"], dark=dark, width=width)
            looked += pages
            grave += len(found)
            for each in found:
                print(f"  {'dark' if dark else 'light'} {width}: {each}", flush=True)
    yield Figure(name="axe_pages_judged", value=looked, unit="")
    yield Figure(name="axe_serious_or_critical", value=grave, unit="", goal="== 0")
