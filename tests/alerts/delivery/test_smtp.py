"""Mail over a real SMTP server."""

import email
import email.policy
import ssl
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from tocsin_alerts.channels import SmtpChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.notifiers import SmtpNotifier
from tocsin_alerts.notifiers.smtp import compose, is_mail_address
from tocsin_alerts.outbox import notification_id
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING, RESOLVED


class Postbox:
    """Keeps mail, refuses some recipients."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refuse: set[str] = set()
        self.put_off: set[str] = set()  # grey-listed: taken when they come again
        self.answer = "250 OK"

    async def handle_RCPT(self, *said: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take a recipient, or refuse it."""
        _, _, envelope, address, _ = said
        if address in self.refuse:
            return "550 no such mailbox"
        if address in self.put_off:
            self.put_off.remove(address)
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *said: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take a mail, or refuse it."""
        if self.answer.startswith("250"):
            self.mails.append(said[2])
        return self.answer

    def authenticate(self, *said: Any) -> AuthResult:
        """Know one password."""
        auth = said[4]
        self.logins.append((auth.login, auth.password))
        return AuthResult(success=auth.password == b"secret", handled=False)

    def mail(self) -> EmailMessage:
        """Give the first mail."""
        content = self.mails[0].content
        assert isinstance(content, bytes)
        return email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[return-value]


class AnyPort(Controller):
    """A controller whose port the system chooses; aiosmtpd knocks at the port it was given."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def postbox() -> Postbox:
    """A mailbox."""
    return Postbox()


@pytest.fixture
def channel(postbox: Postbox) -> Iterator[SmtpChannel]:
    """A channel to a server that holds the mailbox."""
    controller = AnyPort(
        postbox, hostname="127.0.0.1", port=0, authenticator=postbox.authenticate, auth_require_tls=False
    )
    controller.start()
    yield SmtpChannel(
        name="mail",
        host="127.0.0.1",
        port=controller.port,
        sender="tocsin <tocsin@example.com>",
        recipients=("oncall@example.com", "Second Line <second@example.com>"),
        tls="none",
        timeout_s=5,
    )
    controller.stop()


def test_mail_has_text_and_html(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """Every mail program shows one of them."""
    sent = notification()

    SmtpNotifier(channel, str).send(sent)

    mail = postbox.mail()
    assert mail["subject"] == "Subject"
    assert mail["from"] == "tocsin <tocsin@example.com>"
    assert postbox.mails[0].rcpt_tos == ["oncall@example.com", "second@example.com"]
    assert mail["message-id"] == f"<{sent.id}@tocsin.invalid>"
    body, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert body is not None
    assert html is not None
    assert body.get_content().strip() == "Text"
    assert "<p>Text</p>" in html.get_content()
    assert mail["auto-submitted"] == "auto-generated"


def test_an_incident_is_one_thread(channel: SmtpChannel, notification: Any) -> None:
    """Its end stands under its beginning."""
    firing = notification(id=notification_id("incident-1", "firing", "mail"), channel="mail")
    resolved = notification(transition="resolved", channel="mail")

    first, last = compose(channel, firing), compose(channel, resolved)

    assert last["in-reply-to"] == first["message-id"]
    assert last["references"] == first["message-id"]
    assert first["in-reply-to"] is None


@pytest.mark.parametrize(
    "subject",
    [
        "down\r\nBcc: everybody@example.com",
        "down\nX-Evil: 1\n\nbody",
        "down\x0b\x0c\x85\u2028Bcc: x@example.com",
        "=?utf-8?q?down=0ABcc:_x=40example.com?=",
    ],
)
def test_no_header_can_be_injected(channel: SmtpChannel, postbox: Postbox, notification: Any, subject: str) -> None:
    """A use case or rule named by an attacker must not add recipients."""
    message = notification().message

    SmtpNotifier(channel, str).send(notification(message=replace(message, subject=subject)))

    mail = postbox.mail()
    assert "\n" not in mail["subject"]
    assert mail["bcc"] is None
    assert mail["x-evil"] is None
    assert postbox.mails[0].rcpt_tos == ["oncall@example.com", "second@example.com"]


def test_long_and_foreign_text_arrives_whole(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """Lines over 998 bytes and letters beyond ASCII are legal in a message and must be in a mail."""
    text = "größer → Δ " * 200 + "\n.\n"
    message = replace(notification().message, text=text)

    SmtpNotifier(channel, str).send(notification(message=message))

    body = postbox.mail().get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == text


def test_it_logs_in_when_told_to(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """The password is asked for at each use, so it can be changed."""
    SmtpNotifier(replace(channel, user="tocsin"), lambda: "secret").send(notification())

    assert postbox.logins == [(b"tocsin", b"secret")]


def test_a_refused_password_is_a_failure_that_does_not_show_it(
    channel: SmtpChannel, postbox: Postbox, notification: Any
) -> None:
    """Error messages end up in logs."""
    with pytest.raises(DeliveryFailed) as failure:
        SmtpNotifier(replace(channel, user="tocsin"), lambda: "hunter2").send(notification())

    assert "hunter2" not in str(failure.value)
    assert postbox.mails == []


def test_starttls_is_not_silently_left_out(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """A server that does not offer it is refused, not trusted with the text."""
    with pytest.raises(DeliveryFailed, match="STARTTLS"):
        SmtpNotifier(replace(channel, tls="starttls"), str).send(notification())

    assert postbox.mails == []


def test_a_temporary_refusal_is_tried_again(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """Sent is written on 250 alone."""
    postbox.answer = "451 greylisted, come back later"

    with pytest.raises(DeliveryFailed, match="451 greylisted"):
        SmtpNotifier(channel, str).send(notification())


def test_refused_recipients_are_named(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """Whoever mends it needs to know which."""
    postbox.refuse = {"oncall@example.com", "second@example.com"}

    with pytest.raises(DeliveryFailed, match="550 no such mailbox"):
        SmtpNotifier(channel, str).send(notification())


def test_one_recipient_is_enough(channel: SmtpChannel, postbox: Postbox, notification: Any) -> None:
    """Sending again would tell those twice who have it."""
    postbox.refuse = {"oncall@example.com"}

    SmtpNotifier(channel, str).send(notification())

    assert postbox.mails[0].rcpt_tos == ["second@example.com"]


def test_whoever_is_put_off_gets_it_later_and_nobody_twice(
    channel: SmtpChannel, postbox: Postbox, notification: Any
) -> None:
    """A grey list lets one of two recipients through; the other one is on call."""
    sent, notifier = notification(), SmtpNotifier(channel, str)
    postbox.put_off = {"oncall@example.com"}

    with pytest.raises(DeliveryFailed, match=r"put off oncall@example.com: .*greylisted"):
        notifier.send(sent)
    notifier.send(sent)

    assert [mail.rcpt_tos for mail in postbox.mails] == [["second@example.com"], ["oncall@example.com"]]


@pytest.fixture
def strict(postbox: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpChannel]:
    """A channel to a server that takes nothing without STARTTLS and a password, and whose authority is trusted."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    controller = AnyPort(
        postbox,
        hostname="localhost",
        port=0,
        tls_context=context,
        require_starttls=True,
        authenticator=postbox.authenticate,
        auth_required=True,
    )
    controller.start()
    yield SmtpChannel(
        name="mail",
        host="localhost",
        port=controller.port,
        sender="tocsin@example.com",
        recipients=("oncall@example.com",),
        user="tocsin",
        tls="starttls",
        timeout_s=30,
    )
    controller.stop()


def test_over_starttls_with_a_password_through_a_grey_list_an_incident_is_one_thread(
    strict: SmtpChannel, postbox: Postbox, notification: Any
) -> None:
    """What a page goes through on its way in most companies: encrypted, signed in, put off once, and its end below it."""
    firing = notification(
        id=notification_id("incident-1", "firing", "mail"),
        channel="mail",
        message=Templates().compose(FIRING, chat=False),
    )
    over = notification(transition="resolved", channel="mail", message=Templates().compose(RESOLVED, chat=False))
    notifier = SmtpNotifier(strict, lambda: "secret", draw=lambda _data, _kind: b"\x89PNG")
    postbox.put_off = {"oncall@example.com"}

    with pytest.raises(DeliveryFailed, match="greylisted"):
        notifier.send(firing)
    notifier.send(firing)
    notifier.send(over)

    first, last = (
        email.message_from_bytes(mail.content, policy=email.policy.default)  # type: ignore[arg-type]
        for mail in postbox.mails
    )
    assert last["references"] == first["message-id"] == f"<{firing.id}@tocsin.invalid>"
    assert [part.get_content_type() for part in first.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    assert set(postbox.logins) == {(b"tocsin", b"secret")}


def test_a_server_that_is_not_who_it_says_is_told_nothing(
    strict: SmtpChannel, postbox: Postbox, notification: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the password nor the message."""
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(DeliveryFailed, match=r"(?i)certificate"):
        SmtpNotifier(strict, lambda: "secret").send(notification())

    assert (postbox.logins, postbox.mails) == ([], [])


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "a@example.com\nBcc: x", "a@example.com, b@example.com", ""])
def test_what_is_no_address_is_refused_at_the_start(channel: SmtpChannel, address: str) -> None:
    """Not when a page needs it."""
    assert not is_mail_address(address)
    with pytest.raises(ChannelError, match="mail address"):
        SmtpNotifier(replace(channel, recipients=(address,)), str)
