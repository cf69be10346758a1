"""No address that the API or a plan takes is connected to, and no channel follows one that its receiver names.

What the operator's own tocsin.yaml says is trusted: channels, judge, retraining actions and the store are reached.
"""

import json
import re
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode

import pytest
from tests.alerts.delivery.conftest import NOON, Hook, hook, make_notification
from tests.console.test_incident_page import Stay
from tests.console.web.test_access import routes_of

from _alerts.addresses import Door, addresses, rotated
from tocsin_alerts.briefing import brief
from tocsin_alerts.channels import AlertmanagerChannel, ChatChannel, PagerDutyChannel, SlackBotChannel, WebhookChannel
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.fixtures import case_of
from tocsin_alerts.notifiers import (
    AlertmanagerNotifier,
    ChatNotifier,
    PagerDutyNotifier,
    SlackBotNotifier,
    WebhookNotifier,
)
from tocsin_alerts.plan import Plans
from tocsin_alerts.render import Templates
from tocsin_alerts.rules import load_rules
from tocsin_alerts.standing import Standing
from tocsin_console import api, web
from tocsin_wire import TocsinError

__all__ = ["hook"]

_FUNCTIONS = (
    "url('{}', 'CSV', 'x String')", "s3('{}', 'CSV', 'x String')", "remote('{}', system.one)", "urlCluster('c', '{}', 'CSV', 'x String')",
    "mysql('{}', 'd', 't', 'u', 'p')", "postgresql('{}', 'd', 't', 'u', 'p')", "iceberg('{}')", "deltaLake('{}')", "hdfs('{}', 'CSV', 'x String')",
    "redis('{}', 'k', 'k String')", "mongodb('{}', 'd', 'c', 'u', 'p', 'x String')", "file('{}')", "azureBlobStorage('{}', 'c', 'b')", "executable('curl {}', 'CSV', 'x String')",
)  # fmt: skip


@pytest.fixture
def door() -> Iterator[Door]:
    """A port on which whoever connects is counted."""
    with Door() as made:
        yield made


def test_the_corpus_is_what_it_claims() -> None:
    """Eighty addresses, no two alike."""
    assert len(set(addresses(1))) == len(addresses(1)) >= 80


def test_whoever_connects_is_counted(door: Door) -> None:
    """A door that hears nobody proves nothing."""
    for host in ("127.0.0.1", "localhost"):
        socket.create_connection((host, door.port)).close()

    assert door.knocks() == 2
    assert door.knocks() == 2


def fields() -> list[str]:
    """List every name that an endpoint reads of a body, a form or a query."""
    folders = [Path(str(package.__file__)).parent for package in (api, web)]
    sources = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("*.py"))
    return sorted(set(re.findall(r'(?:\.get\(|text_of\(\w+, |\w\[)"([a-z_]+)"', sources)))


def test_no_address_that_an_endpoint_takes_is_connected_to(running: Any, door: Door) -> None:
    """Every endpoint that there is, every field that any of them reads, every address in some of them."""
    routes = [
        each for each in routes_of(running.parts) if each.path != "/events"
    ]  # which reads nothing, and never ends
    names, words = fields(), addresses(door.port)
    asked = 0

    for number, route in enumerate(routes):
        for method in (route.methods or set()) - {"HEAD"}:
            said = dict(zip(names, rotated(words, number * len(names)), strict=False))
            asked += ask(running.address, route.path, method, said, words[number % len(words)])

    assert {"actor", "sql", "use_case", "channel"} <= set(names)
    assert len(routes) * len(names) > len(words)
    assert asked >= len(routes)
    assert door.knocks() == 0


_STAY = urllib.request.build_opener(Stay)


def ask(host: str, path: str, method: str, said: dict[str, str], word: str) -> int:
    """Ask an endpoint with an address in every field and in its path; whatever it answers."""
    where = re.sub(r"\{[^}]+\}", quote(word, safe=""), path)
    body, headers = None, {}
    if method == "GET":
        where += "?" + urlencode(said, errors="replace")
    elif not path.startswith(("/api/", "/hooks/")):
        body, headers = urlencode(said).encode(), {"origin": f"http://{host}"}
    else:
        body, headers = json.dumps(said).encode(), {"content-type": "application/json"}
    request = urllib.request.Request(f"http://{host}{where}", data=body, headers=headers, method=method)
    try:
        _STAY.open(request, timeout=120).close()
    except HTTPError as error:
        error.close()
    return 1


def test_no_question_reads_beyond_the_store(running: Any, door: Door) -> None:
    """A person's SQL is what else could reach out."""
    for number, address in enumerate(addresses(door.port)):
        function = _FUNCTIONS[number % len(_FUNCTIONS)].format(address.replace("\\", "\\\\").replace("'", ""))

        with pytest.raises(TocsinError):
            running.parts.reader.ask(f"SELECT * FROM {function}")

    assert door.knocks() == 0


@pytest.mark.parametrize("origin", [False, True])
def test_a_name_that_leads_here_is_no_name_of_ours(running: Any, door: Door, origin: bool) -> None:
    """A page whose name is rebound to this machine asks with its own name."""
    names = [
        "rebind.example",
        "127.0.0.1.nip.io",
        "localtest.me",
        "7f000001.c0a80001.rbndr.us",
        "tocsin",
        "0.0.0.0",  # noqa: S104
        "2130706433",
    ]

    for name in names:
        headers = {"host": name, **({"origin": f"http://{name}"} if origin else {})}
        request = urllib.request.Request(f"http://{running.address}/api/status", headers=headers)
        with pytest.raises(HTTPError) as refusal:
            urllib.request.urlopen(request, timeout=120)
        refusal.value.close()
        assert refusal.value.code == 403

    assert door.knocks() == 0


def test_no_address_of_a_plan_is_connected_to(tmp_path: Path, door: Door) -> None:
    """A team links its runbook; a message shows the link and reads nothing from it."""
    rules = load_rules(evaluators=load_evaluators())
    rule = rules.rules["accuracy-below-floor"]
    templates, words = Templates(), addresses(door.port)
    for number, address in enumerate(words):
        said = {
            "use_case": f"u{number}",
            "owner": address,
            "contact": address,
            "runbook": {"link": address},
            "fallback": {"description": address},
        }
        (tmp_path / f"{number}.yaml").write_text(json.dumps(said), encoding="utf-8")

    plans = Plans.load(tmp_path)

    assert len(plans) == len(words)
    case = case_of(rule, "firing", rules)
    for plan in list(plans)[:: len(words) // 8]:
        templates.compose(brief(replace(case, plan=plan)), chat=True)
    assert all(plan.runbook.first_steps == [] for plan in plans)
    assert door.knocks() == 0


class NoThreads:
    """A Slack in which nothing was said."""

    def find(self, _channel: str, _incident: str) -> None:
        """Find nothing."""

    def keep(self, _channel: str, _incident: str, _place: Any) -> None:
        """Keep nothing."""


def notifiers(hook: Hook) -> list[Any]:
    """Make every notifier that posts, to one receiver."""
    url = f"http://127.0.0.1:{hook.port}/"
    how: Any = {"now": lambda: NOON}
    return [
        WebhookNotifier(WebhookChannel(name="w", url=url), str, **how),
        PagerDutyNotifier(PagerDutyChannel(name="p", routing_key="", url=url), str, **how),
        ChatNotifier(ChatChannel(name="s", app="slack", url=""), lambda: url, **how),
        ChatNotifier(ChatChannel(name="t", app="teams", url=""), lambda: url, **how),
        SlackBotNotifier(SlackBotChannel(name="b", token="", room="C", url=url), str, NoThreads(), **how),
        AlertmanagerNotifier(AlertmanagerChannel(name="a", urls=(url,)), str, **how),
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_channel_follows_a_redirect(hook: Hook, door: Door, status: int) -> None:
    """A receiver that was taken over could make us fetch what only we can reach."""
    alert = Standing(event="e", rule="r", labels={}, severity="page", summary="", reason="", since=NOON, until=None)
    sent, made = make_notification(alerts=(alert,)), notifiers(hook)
    hook.status = status
    words = [word for word in addresses(door.port) if "\r" not in word and word.isascii()]

    for number, word in enumerate(rotated(words, status)):
        hook.headers = {"location": word}
        with pytest.raises(DeliveryFailed, match="redirect"):
            made[number % len(made)].send(sent)

    assert len(hook.requests) == len(words)
    assert door.knocks() == 0
