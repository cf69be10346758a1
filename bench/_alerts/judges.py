"""Whether a text had an effect: each channel's message is parsed as its receiver would, and compared with an honest one."""

import email
import email.policy
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final

from _alerts.injections import MARK
from tocsin_alerts.rendition import Kind

# What receivers make links of by themselves: schemes, hosts that begin with www, bare hosts, addresses of mail.
LINKED: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s\u200b]|\bwww\.\w|(?<![\w.@/])(?:[\w-]+\.)+(?:com|net|org|io|co|uk|example|zip|mov|md|рф)\b"
    r"|[\w.+-]+@[\w-]+\.\w|\b(?:mailto|tel|sms|callto|javascript|data|slack|msteams|vbscript):[^\s\u200b…]|\]\([^\s\u200b]|\]\[[^\s\u200b]",
    re.IGNORECASE,
)
MENTION: Final = re.compile(r"@(?:channel|here|everyone|all|team)\b|<[!@#]|<at\b", re.IGNORECASE)
_BAD: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
_FORMAT: Final = "\u200b"  # the one format character that we put in ourselves


class Page(HTMLParser):
    """What a browser or a mail program would act on."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.links += [
            value or "" for name, value in attrs if name in ("href", "src", "action", "background", "srcset")
        ]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        """Note a comment: a conditional one acts in old mail programs."""
        self.tags.append(f"<!--{data}")


def effects(kind: Kind, body: bytes, honest: bytes, *, ours: frozenset[str] = frozenset()) -> Iterator[str]:
    """Say what acts in a message that does not in an honest one.

    Args:
        kind: Of channel.
        body: As it would be sent, with payloads in it.
        honest: The same without.
        ours: Texts that are links, and are meant to be.
    """
    if kind == "smtp":
        yield from _mail(body, honest, ours)
    elif kind in _JUDGES:
        yield from _JUDGES[kind](json.loads(body), json.loads(honest), ours)
    else:
        said = json.loads(body)["data"]
        yield from _shown(said["subject"], ours, one_line=True, mentions=kind != "log")
        yield from _shown(said["text"], ours, mentions=kind != "log")


_LOCAL: Final = re.compile(r"/(?:sql|call|drift|runbooks|use-cases)[/?][\w.~%+&=/-]*", re.ASCII)


def html_effects(
    html: str, honest: str, *, ours: frozenset[str] = frozenset(), links: bool = True, local: bool = False
) -> Iterator[str]:
    """Say what acts in a page that does not in an honest one.

    Args:
        html: With payloads in it.
        honest: Without.
        ours: Texts that are links, and are meant to be.
        links: Whether its reader makes links of texts, as mail programs do and browsers do not.
        local: Whether names may stand in addresses of the same server, quoted.
    """
    page, meant = Page(html), Page(honest)
    if extra := set(page.tags) - set(meant.tags):
        yield f"tags {extra}"
    if extra_attributes := page.attributes - meant.attributes:
        yield f"attributes {extra_attributes}"
    further = {link for link in set(page.links) - set(meant.links) if not (local and _LOCAL.fullmatch(link))}
    if further:
        yield f"links {further}"
    yield from _shown("\n".join(page.text), ours, mentions=False, links=links)


def _mail(body: bytes, honest: bytes, ours: frozenset[str]) -> Iterator[str]:
    mail = email.message_from_bytes(body, policy=email.policy.default)
    meant = email.message_from_bytes(honest, policy=email.policy.default)
    if mail.keys() != meant.keys():
        yield f"headers {mail.keys()}"
    for name in ("To", "From", "Message-ID"):
        if mail[name] != meant[name]:
            yield f"{name} {mail[name]}"
    yield from _shown(str(mail["Subject"]), ours, one_line=True, mentions=False)
    if [part.get_content_type() for part in mail.walk()] != [part.get_content_type() for part in meant.walk()]:
        yield "other parts"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))  # type: ignore[attr-defined]
    yield from _shown(text.get_content(), ours, mentions=False)
    if html is not None:
        yield from html_effects(html.get_content(), meant.get_body(("html",)).get_content(), ours=ours)  # type: ignore[attr-defined]
    if any(len(line) > 998 for line in body.split(b"\r\n")):
        yield "a line of more than 998 octets"


def _pagerduty(said: dict[str, Any], meant: dict[str, Any], ours: frozenset[str]) -> Iterator[str]:
    payload = said["payload"]
    for name in ("summary", "source", "component", "group"):
        yield from _shown(payload[name], ours, one_line=True)
    yield from _shown(payload["custom_details"]["message"], ours)
    if said["links"] != meant["links"]:
        yield f"links {said['links']}"


def _alertmanager(said: list[dict[str, Any]], _meant: Any, ours: frozenset[str]) -> Iterator[str]:
    for alert in said:
        for name, text in alert["annotations"].items():
            yield from _shown(text, ours, one_line=name != "message")
        for text in (*alert["labels"], *alert["labels"].values()):
            yield from _printable(text)


def _apprise(said: dict[str, Any], _meant: Any, ours: frozenset[str]) -> Iterator[str]:
    yield from _shown(said["title"], ours, one_line=True)
    yield from _shown(said["body"], ours)


def _slack(said: dict[str, Any], meant: dict[str, Any], ours: frozenset[str]) -> Iterator[str]:
    if said.get("mrkdwn") is not False or re.search(r"<[^>]*>", said["text"]):
        yield f"markup in {said['text']!r}"
    yield from _shown(said["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), ours, one_line=True)
    if {block["type"] for block in said["blocks"]} != {block["type"] for block in meant["blocks"]}:
        yield "other blocks"
    for block in said["blocks"]:
        if block not in meant["blocks"]:
            yield from _slack_block(block, ours)


def _slack_block(block: dict[str, Any], ours: frozenset[str]) -> Iterator[str]:
    if block["type"] not in ("header", "rich_text"):
        yield f"a block of {block['type']}"
    if block["type"] == "header":
        yield from _shown(block["text"]["text"], ours, one_line=True)
        if block["text"]["type"] != "plain_text" or block["text"]["emoji"]:
            yield "a header that is no plain text"
    for part in block.get("elements", ()):
        if part["type"] != "rich_text_preformatted":
            yield f"a part of {part['type']}"
        for element in part["elements"]:
            if element.keys() != {"type", "text"} or element["type"] != "text":
                yield f"an element {element}"
            yield from _shown(element["text"], ours)


def _teams(said: dict[str, Any], meant: dict[str, Any], ours: frozenset[str]) -> Iterator[str]:
    card, honest = said["attachments"][0]["content"], meant["attachments"][0]["content"]
    if card.keys() != honest.keys() or said.keys() != meant.keys() or card.get("actions") != honest.get("actions"):
        yield "another card"
    for block in card["body"]:
        if block in honest["body"]:
            continue
        if block["type"] != "RichTextBlock":
            yield f"a block of {block['type']}"
            continue
        for run in block["inlines"]:
            if run["type"] != "TextRun" or run.keys() & {"selectAction"}:
                yield f"a run {run}"
            yield from _shown(run["text"], ours)


def _shown(
    text: str, ours: frozenset[str], *, one_line: bool = False, mentions: bool = True, links: bool = True
) -> Iterator[str]:
    """Judge a text that is shown as it is, and that a receiver may make links of."""
    text = text.replace("\r\n", "\n")
    for each in sorted(ours, key=len, reverse=True):
        text = text.replace(each, "")
    if one_line and len(text.splitlines()) > 1:
        yield f"several lines: {text!r}"
    yield from (found for line in text.split("\n") for found in _printable(line))
    if links and (found := LINKED.search(text)):
        yield f"a link {found.group()!r} in {text[max(0, found.start() - 30) : found.end() + 10]!r}"
    if mentions and (found := MENTION.search(text)):
        yield f"a mention {found.group()!r}"
    if str(MARK) in text.replace("1787569 | len", ""):
        yield "a template that ran"


def _printable(line: str) -> Iterator[str]:
    for char in line:
        category = unicodedata.category(char)
        if category in _BAD or (category == "Cf" and char != _FORMAT):
            yield f"the character U+{ord(char):04X}"
            return


_JUDGES: Final[Mapping[str, Callable[[Any, Any, frozenset[str]], Iterator[str]]]] = {
    "slack": _slack,
    "teams": _teams,
    "pagerduty": _pagerduty,
    "alertmanager": _alertmanager,
    "apprise": _apprise,
}
