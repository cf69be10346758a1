"""Payloads in every stored text, and every page that shows one, in a real browser: what ran, what the policy had to stop."""

import http.client
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from _console.crawl import crawl
from _console.hostile import poison
from _console.payloads import payloads
from _console.watching import Seen, opened, visit
from _report import Figure
from _up import up
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate


def poisoned(folder: Path, said: Sequence[str]) -> None:
    """Make a data folder of nothing else, by a process of its own: one that has had the engine open keeps it."""
    (folder / "data").mkdir(parents=True)
    made = multiprocessing.get_context("spawn").Process(target=_write, args=(folder, list(said)))
    made.start()
    made.join()
    if made.exitcode:
        raise RuntimeError(f"expected the store to be written, but its writer ended with {made.exitcode}")


def _write(folder: Path, said: Sequence[str]) -> None:
    database, now = Database.open(StoreAddress(path=folder / "data" / "store")), datetime.now(UTC)
    migrate(database, now=now)
    poison(database, said, now=now)
    database.close()


def fetching(address: str) -> Callable[[str], str]:
    """Give what fetches a page as a browser would; an error's page too."""

    def fetch(path: str) -> str:
        connection = http.client.HTTPConnection(address, timeout=120)
        connection.request("GET", path, headers={"accept": "text/html"})
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    return fetch


def looked_at(address: str, *, of_each: int, most: int) -> tuple[list[str], Seen]:
    """Open every page that links lead to, so many of each kind."""
    pages = crawl(fetching(address), of_each=of_each, most=most)
    with opened(address) as (page, seen):
        for path in pages:
            visit(page, seen, f"http://{address}{path}")
    return pages, seen


def scripts(folder: Path) -> Iterator[Figure]:
    """Look at them all."""
    said = list(payloads())
    poisoned(folder, said)
    with up(folder) as running:
        pages, seen = looked_at(running.facts["api"], of_each=len(said), most=1_200)
    for each in seen.all[:10]:
        print(f"  {each[:300]}", flush=True)
    yield Figure(name="xss_payloads", value=len(said), unit="", goal=">= 200")
    yield Figure(name="xss_pages_opened", value=len(pages), unit="")
    yield Figure(name="xss_ran", value=len(seen.ran), unit="", goal="== 0")
    yield Figure(name="xss_policy_reports", value=len(seen.refused), unit="", goal="== 0")
    yield Figure(name="xss_requests_elsewhere", value=len(seen.elsewhere), unit="", goal="== 0")
    yield Figure(name="xss_pages_failed", value=len(seen.failed), unit="", goal="== 0")
