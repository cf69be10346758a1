"""What pages make a browser ask for, read from everything that the console answers."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import Final
from urllib.parse import urlsplit

from _console.crawl import crawl

_LOADED: Final = ("src", "srcset", "action", "formaction", "poster", "data", "href", "xlink:href", "background", "ping")
_CSS: Final = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")
_ADDRESS: Final = re.compile(r"""(?:https?:|wss?:)?//[\w.\[]""")
_NAMESPACES: Final = re.compile(r"https?://www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|XML/1998/namespace)")


@dataclass
class Looked:
    """Everything that was fetched, and what in it leads elsewhere."""

    fetched: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)  # addresses of anybody but the console, and where they stand
    unguarded: list[str] = field(default_factory=list)  # answers without the policy that keeps a browser here


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []  # tag, address
        self.styles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value) for name, value in attrs if name in _LOADED and value]
        self.styles += [value for name, value in attrs if name == "style" and value]


def look(address: str) -> Looked:
    """Fetch every page, one of each kind, and everything that they load."""
    looked = Looked()

    def fetch(url: str) -> str:
        kind, text = _get(address, url, looked)
        if "html" in kind:
            parser = _References()
            parser.feed(text)
            for tag, value in parser.found:
                _judge(looked, url, value)
                if tag not in {"a", "form"} and value.startswith("/") and value not in looked.fetched:
                    _get(address, value, looked)
            for style in parser.styles:
                _judge_css(looked, url, style)
        return text

    crawl(fetch)
    return looked


def _get(address: str, url: str, looked: Looked) -> tuple[str, str]:
    looked.fetched.append(url)
    connection = HTTPConnection(address, timeout=60)
    if url.partition("?")[0] == "/events":  # a stream without an end
        return "", ""
    connection.request("GET", url)
    answer = connection.getresponse()
    kind, text = answer.headers.get("content-type", ""), answer.read().decode(errors="replace")
    connection.close()
    policy = answer.headers.get("content-security-policy", "")
    if "default-src 'self'" not in policy or re.search(r"https?:|\*|unsafe-eval", policy):
        looked.unguarded.append(f"{url}: {policy}")
    if "css" in kind or "svg" in kind:
        _judge_css(looked, url, text)
    if any(each in kind for each in ("css", "javascript", "svg")):
        bare = _NAMESPACES.sub("", text)
        looked.elsewhere += [f"{url}: {bare[at.start() - 20 : at.end() + 40]}" for at in _ADDRESS.finditer(bare)]
    return kind, text


def _judge(looked: Looked, url: str, value: str) -> None:
    split = urlsplit(value.strip())
    if split.netloc or split.scheme not in {"", "data"}:
        looked.elsewhere.append(f"{url}: {value}")


def _judge_css(looked: Looked, url: str, text: str) -> None:
    for found in _CSS.finditer(text):
        _judge(looked, url, found[1] or found[2])
