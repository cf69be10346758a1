"""Finds the pages of a console: by its links, one address of each kind."""

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

_NO_PAGES: Final = ("/static/", "/charts/", "/api/", "/receipts/", "/metrics", "/events", "/logout")
_FILES: Final = re.compile(r"\.(json|csv|svg|png|parquet|css)$")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said: Mapping[str, str | None] = dict(attrs)
        if tag == "a" and said.get("href"):
            self.found.append(str(said["href"]))


def links_of(html: str) -> list[str]:
    """List the pages that a page links, without files, anchors and other sites."""
    parser = _Links()
    parser.feed(html)
    local = (urldefrag(link)[0] for link in parser.found)
    return [
        link
        for link in dict.fromkeys(local)
        if link.startswith("/") and not link.startswith(("//", *_NO_PAGES)) and not _FILES.search(urlsplit(link).path)
    ]


def crawl(fetch: Callable[[str], str], *, start: str = "/", of_each: int = 1, most: int = 400) -> list[str]:
    """List addresses of pages, at most so many of each kind.

    Args:
        fetch: Gives the HTML of an address.
        start: Where to begin.
        of_each: Pages of one kind: the same first part, number of parts and names of parameters.
        most: In all.
    """
    known: dict[tuple[Any, ...], list[str]] = {}
    waiting, done = [start], []
    while waiting and len(done) < most:
        url = waiting.pop(0)
        kind = _kind(url)
        if url in done or len(known.get(kind, [])) >= of_each:
            continue
        known.setdefault(kind, []).append(url)
        done.append(url)
        waiting += links_of(fetch(url))
    return done


def _kind(url: str) -> tuple[Any, ...]:
    split = urlsplit(url)
    parts = split.path.strip("/").split("/")
    names = tuple(sorted({pair.partition("=")[0] for pair in split.query.split("&") if pair}))
    return parts[0], min(len(parts), 3), names
