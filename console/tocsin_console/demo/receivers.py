"""The two ends that a page reaches: a webhook receiver that checks signatures, and a mailbox behind a real SMTP server."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

_TOLERANCE_S = 300  # Standard Webhooks: a message whose time is further off is a replay
_MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message that arrived."""

    channel: Literal["webhook", "mail"]
    message_id: str  # the sender's, the same again when it repeats itself
    subject: str
    text: str  # as a person reads it
    body: Mapping[str, Any]  # the webhook's JSON; empty for mail
    problem: str = ""  # why it is not to be believed; empty when it is

    def said(self, name: str) -> Any:
        """A value of the webhook's JSON or a header of the mail, by name; None when it is not there."""
        inner = self.body.get("data")
        for place in (self.body, inner if isinstance(inner, Mapping) else {}):
            if place.get(name) not in (None, ""):
                return place[name]
        return None

    @property
    def slot(self) -> datetime | None:
        """The instant that it speaks of, on the data's clock; None when it does not say."""
        try:
            slot = datetime.fromisoformat(str(self.said("slot") or ""))
        except ValueError:
            return None
        return slot if slot.tzinfo else slot.replace(tzinfo=UTC)


OnDelivery = Callable[[Delivery], None]


def signature_problem(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float) -> str:
    """Check a Standard Webhooks signature and say in words what is wrong with it; empty when nothing is.

    Source:
        https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdecimal():
        return "expected the headers webhook-id and webhook-timestamp"
    if abs(now_s - int(timestamp)) > _TOLERANCE_S:
        return f"its webhook-timestamp is {abs(now_s - int(timestamp)):.0f} s off"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(signed).decode("ascii")
    given = headers.get("webhook-signature", "").split()
    return "" if any(hmac.compare_digest(expected, one) for one in given) else "no webhook-signature matches the body"


class WebhookReceiver:
    """An HTTP server on a loopback port of its own choice, in a thread of its own."""

    def __init__(self, secret: str, on_delivery: OnDelivery) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = self.rfile.read(min(length, _MAX_BODY_BYTES))
                delivery = receiver._read({name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(401 if delivery.problem else 204)
                self.end_headers()
                on_delivery(delivery)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden name
                """Keep the terminal for the story."""

        self._secret = secret
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="demo-webhook", daemon=True)

    @property
    def url(self) -> str:
        """Where to post to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/pages"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        problem = signature_problem(self._secret, headers, body, now_s=time.time())
        try:
            content = json.loads(body)
        except ValueError:
            content, problem = {}, problem or "its body is not JSON"
        content = content if isinstance(content, dict) else {}
        return Delivery(
            channel="webhook",
            message_id=headers.get("webhook-id", ""),
            subject=str(_find(content, "subject", "title", "summary") or ""),
            text=str(_find(content, "text", "body", "message") or ""),
            body=content,
            problem=problem,
        )


class Mailbox:
    """An SMTP server on a loopback port of its own choice, in a thread of its own."""

    def __init__(self, on_delivery: OnDelivery) -> None:
        self._on_delivery = on_delivery
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-mailbox", daemon=True)

    @property
    def port(self) -> int:
        """Where to send to, on 127.0.0.1."""
        if self._server is None:
            raise RuntimeError("expected the mailbox to be entered before it is asked for its port")
        return int(self._server.sockets[0].getsockname()[1])

    def __enter__(self) -> Self:
        from aiosmtpd.smtp import SMTP

        async def serve() -> asyncio.Server:
            return await self._loop.create_server(
                lambda: SMTP(self, hostname="localhost", loop=self._loop), "127.0.0.1", 0
            )

        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(serve(), self._loop).result(timeout=10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        async def close() -> None:
            if self._server is not None:
                self._server.close()
            for task in asyncio.all_tasks():
                if task is not asyncio.current_task():
                    task.cancel()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd's name
        """Take one message; aiosmtpd calls this."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        part = message.get_body(preferencelist=("plain", "html"))
        self._on_delivery(
            Delivery(
                channel="mail",
                message_id=str(message["Message-ID"] or ""),
                subject=str(message["Subject"] or ""),
                text=str(part.get_content()).replace("\r\n", "\n") if part is not None else "",
                body={name.lower(): str(value) for name, value in message.items()},
            )
        )
        return "250 OK"


def _find(content: Mapping[str, Any], *names: str) -> Any:
    inner = content.get("data")
    for place in (content, inner if isinstance(inner, dict) else {}):
        for name in names:
            if place.get(name):
                return place[name]
    return None
