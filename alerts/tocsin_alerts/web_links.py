"""Addresses that a message may carry as a link: of http or https, whole, and with nothing in them that a chat reads as markup. Pure."""

from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator

_LONGEST: Final = 2_000
_MARKUP: Final = frozenset('<>|"\\^`{} ')


def _read(given: str) -> str:
    if is_web_link(given):
        return given
    raise ValueError(f"expected an address such as https://grafana.example.com/d/digits, got {given[:80]!r}")


WebLink: TypeAlias = Annotated[str, AfterValidator(_read)]


def is_web_link(given: str) -> bool:
    """Whether a text is the address of a page, with a host, that can stand in a link of every channel."""
    if len(given) > _LONGEST or not given.isprintable() or not _MARKUP.isdisjoint(given):
        return False
    try:
        parts = urlsplit(given)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that are no address, a port that is no number
        return False


def link_in(data: Any, name: str) -> str:
    """Give an address out of a message's data; empty where there is none that can be a link."""
    said = str(data.get(name) or "")
    return said if is_web_link(said) else ""


def use_case_page(public_url: str, project: str, use_case: str) -> str:
    """Give the console's page of a use case; names come from spans, so they are quoted."""
    return f"{public_url}/use-cases/{quote(project, safe='')}/{quote(use_case, safe='/')}"


def runbook_page(public_url: str, rule: str) -> str:
    """Give the console's page of a shipped rule's runbook."""
    return f"{public_url}/runbooks/{quote(rule, safe='')}"
