"""The ends of the delivery: if these believed anything, the demo would prove nothing."""

import base64
import hashlib
import hmac
import json
import queue
import smtplib
import urllib.error
import urllib.request
from email.message import EmailMessage

import pytest

from tocsin_console.demo.receivers import Delivery, Mailbox, WebhookReceiver, signature_problem
from tocsin_console.demo.workspace import new_secret

NOW_S = 1_780_000_000.0


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """A signature as the specification defines it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, b".".join([message_id.encode(), timestamp.encode(), body]), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(secret: str, body: bytes, *, at_s: float = NOW_S) -> dict[str, str]:
    """The three headers of a signed message."""
    timestamp = str(int(at_s))
    return {
        "webhook-id": "msg-1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,b2xk {sign(secret, 'msg-1', timestamp, body)}",
    }


def test_the_specifications_own_example_verifies() -> None:
    """The vector published with Standard Webhooks' reference libraries."""
    problem = signature_problem(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        now_s=1614265330.0,
    )

    assert problem == ""


def test_a_changed_body_is_found() -> None:
    """What a signature is for."""
    secret = new_secret()

    assert "matches the body" in signature_problem(secret, headers(secret, b"{}"), b"{ }", now_s=NOW_S)


def test_an_old_message_is_found() -> None:
    """A replayed page is not a page."""
    secret = new_secret()

    assert "s off" in signature_problem(secret, headers(secret, b"{}"), b"{}", now_s=NOW_S + 301)


def test_missing_headers_are_named() -> None:
    """An unsigned message says nothing about who sent it."""
    assert "webhook-id" in signature_problem(new_secret(), {}, b"{}", now_s=NOW_S)


def test_an_unsigned_post_is_refused_and_still_seen() -> None:
    """A 401 makes the sender try again; the story names the problem."""
    arrived: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
    with WebhookReceiver(new_secret(), arrived.put) as receiver:
        body = json.dumps({"subject": "hello", "text": "world"}).encode()
        request = urllib.request.Request(receiver.url, data=body, method="POST")

        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()

        delivery = arrived.get(timeout=10)
    assert refused.value.code == 401
    assert delivery.problem
    assert (delivery.subject, delivery.text) == ("hello", "world")


def test_a_mail_arrives_as_a_person_reads_it() -> None:
    """Sent by a real client, through a real server."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "[PAGE] digit-reader", "a@example.com", "b@example.com"
    message["Message-ID"] = "<1@example.com>"
    message.set_content("accuracy 94.0 % → 92.1 %\n")
    message.add_alternative("<p>accuracy</p>", subtype="html")
    arrived: queue.SimpleQueue[Delivery] = queue.SimpleQueue()

    with Mailbox(arrived.put) as mailbox, smtplib.SMTP("127.0.0.1", mailbox.port, timeout=10) as client:
        client.send_message(message)

    delivery = arrived.get(timeout=10)
    assert delivery.message_id == "<1@example.com>"
    assert delivery.subject == "[PAGE] digit-reader"
    assert delivery.text == "accuracy 94.0 % → 92.1 %\n"
