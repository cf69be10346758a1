"""Every channel's page: its block is what the product reads, and what it sends arrives."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.alerts.delivery.conftest import Hook, hook
from tests.alerts.delivery.test_slack_bot import Threads
from tests.alerts.delivery.test_smtp import AnyPort, Postbox
from tests.docs.pages import DOCS, shown

from tocsin_alerts.channel_trial import try_channels
from tocsin_alerts.render import Templates
from tocsin_console.config import Flags, resolve
from tocsin_console.notifiers import channels_of, with_notifiers

__all__ = ["hook"]
NOW = datetime(2026, 4, 17, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
ENVIRONMENT = {
    "PAGERDUTY_KEY": "p" * 32,
    "PAGERDUTY_WEBHOOK": "w",
    "SLACK_TOKEN": "xoxb-1",
    "SLACK_SIGNING": "s",
    "SMTP_PASSWORD": "secret",
}
SENT = {  # by page: how many requests its blocks cause, a beginning and an end each
    "slack.md": 4,
    "teams.md": 2,
    "pagerduty.md": 2,
    "webhook.md": 2,
    "apprise.md": 2,
    "index.md": 4,
}


def said(page: str) -> list[str]:
    """Give the texts of a page's YAML blocks."""
    return [block.text for block in shown(f"channels/{page}", tested_by=__file__) if block.language == "yaml"]


def configured(folder: Path, text: str, *, port: int) -> list[Any]:
    """Read a block as `tocsin up` does, with its addresses led to a local receiver."""
    here = f"http://127.0.0.1:{port}"
    (folder / "teams.url").write_text(f"{here}/teams\n")
    (folder / "webhook.secret").write_text(f"{SECRET}\n")
    own = ENVIRONMENT | {"SLACK_URL": f"{here}/slack", "APPRISE_URL": f"ntfy://127.0.0.1:{port}/oncall"}
    led = text.replace("https://alerts.internal", here).replace("host: mail.internal", "host: 127.0.0.1")
    led = re.sub(
        r"(type: pagerduty)",
        rf"\1\n    url: {here}/pd" if "\n    type: pagerduty" in led else rf'\1, url: "{here}/pd"',
        led,
    )
    led = re.sub(r"(type: slack_bot)", rf"\1\n    url: {here}/api", led)
    (folder / "tocsin.yaml").write_text(led, encoding="utf-8")
    config = resolve(Flags(), environment={}, cwd=folder)
    assert channels_of(config)
    return with_notifiers(config, environment=own, now=lambda: NOW, threads=Threads())  # type: ignore[arg-type]


@pytest.mark.parametrize("page", sorted(path.name for path in (DOCS / "channels").glob("*.md")))
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a plugin of Apprise's
def test_the_block_of_a_page_is_read_and_a_test_message_arrives(page: str, tmp_path: Path, hook: Hook) -> None:
    """Whoever copies it must not find out at night that a key has another name."""
    if page == "apprise.md":
        pytest.importorskip("apprise", reason="needs tocsin[apprise]")
    hook.body = b'{"ok": true, "channel": "C0123456789", "ts": "1.2"}'
    made = [each for text in said(page) if page != "smtp.md" for each in configured(tmp_path, text, port=hook.port)]

    tried = try_channels(made, Templates(), now=lambda: NOW)

    assert [(each.channel, each.error) for each in tried if each.error] == []
    assert len(hook.requests) >= SENT.get(page, 0), [path for path, _, _ in hook.requests]


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    """A mail server on a free port."""
    kept = Postbox()
    controller = AnyPort(kept, hostname="127.0.0.1", port=0)
    controller.start()
    yield kept, controller.port
    controller.stop()


def test_mail_goes_out_as_its_page_says(tmp_path: Path, postbox: tuple[Postbox, int]) -> None:
    """The local server has no TLS and no password, so these two keys are read, and left out of the sending."""
    kept, port = postbox
    [text] = said("smtp.md")
    assert configured(tmp_path, text, port=0)
    plain = re.sub(r"    (tls|user|password):.*\n", "", text).replace("port: 587", f"port: {port}\n    tls: none")

    tried = try_channels(configured(tmp_path, plain, port=0), Templates(), now=lambda: NOW)

    assert [each.error for each in tried] == [""]
    assert [mail.rcpt_tos for mail in kept.mails] == [["vision-team@example.com"]] * 2


def test_the_page_of_the_webhook_verifies_what_is_sent(tmp_path: Path, hook: Hook) -> None:
    """Its code is copied into receivers."""
    [python] = [block.text for block in shown("channels/webhook.md", tested_by=__file__) if block.language == "python"]
    own: dict[str, Any] = {}
    exec(compile(python, "webhook.md", "exec"), own)  # noqa: S102 - running the page is the point
    try_channels(
        configured(tmp_path, said("webhook.md")[0], port=hook.port),
        Templates(),
        now=lambda: NOW,
    )

    (_, headers, body), *_ = hook.requests

    assert own["is_ours"](headers, body, SECRET)
    assert not own["is_ours"](headers, body + b" ", SECRET)


def test_every_page_is_in_the_index() -> None:
    """It is how a reader finds theirs."""
    index = (DOCS / "channels" / "index.md").read_text(encoding="utf-8")

    assert {path.name for path in (DOCS / "channels").glob("*.md")} - {"index.md"} <= set(
        re.findall(r"\]\(([\w.]+\.md)\)", index)
    )
