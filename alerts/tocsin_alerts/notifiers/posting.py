"""One JSON document posted to one address: any 2xx is OK, and a redirect is not."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_wire.version import user_agent

_GONE: Final = 410  # stop sending to this address
_READ_BYTES: Final = 2_048  # of an answer: enough for a reason
_ANSWER_BYTES: Final = 1 << 20  # of one that is asked for


class Post:
    """Posts for one channel.

    Args:
        what: The channel as errors name it: ``webhook 'oncall'``.
        timeout_s: For the answer; at most 5 s of it for the connection.
        now: The time of day, against which ``Retry-After`` is read.
        pool: Connections.
    """

    def __init__(
        self, what: str, *, timeout_s: float, now: Callable[[], datetime], pool: urllib3.PoolManager | None = None
    ) -> None:
        self._what = what
        self._now = now
        self._timeout = urllib3.Timeout(connect=min(5.0, timeout_s), read=timeout_s)
        self._pool = pool or urllib3.PoolManager(retries=False, maxsize=1)

    def send(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Post; errors never show the address beyond its host, which may be all the secret there is.

        Raises:
            DeliveryFailed: no 2xx came back.
            ChannelError: it is no http(s) address.
        """
        self._request(url, body, headers, most=_READ_BYTES)

    def ask(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Post, as :meth:`send`, and give what a 2xx said, up to a MiB of it."""
        return self._request(url, body, headers, most=_ANSWER_BYTES)

    def _request(self, url: str, body: bytes, headers: Mapping[str, str] | None, *, most: int) -> bytes:
        require_http(self._what, url)
        try:
            answer = self._pool.request(
                "POST",
                url,
                body=body,
                headers={"content-type": "application/json", "user-agent": user_agent(), **(headers or {})},
                timeout=self._timeout,
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except HTTPError as error:
            raise DeliveryFailed(f"{self._what} could not be reached: {_brief(error, url)}") from error
        try:
            said = answer.read(most, decode_content=False)
        except HTTPError:
            said = b""
        finally:
            answer.close()  # not kept open: the rest of a long answer is not read
        if 200 <= answer.status < 300:
            return said
        raise DeliveryFailed(
            f"{self._what} answered {answer.status}{_reason(answer, said)}",
            retry_after_s=retry_after_s(answer.headers.get("Retry-After"), now=self._now()),
            is_permanent=answer.status == _GONE,
            status=answer.status,
        )


def require_http(what: str, url: str) -> None:
    """Refuse what is no http(s) address, without showing it.

    Raises:
        ChannelError: it is none.
    """
    if not url.startswith(("https://", "http://")):
        raise ChannelError(
            f"{what}: expected a url of http or https, got another, which is not shown: it may be a secret"
        )


def retry_after_s(header: str | None, *, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date; None when it is neither."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())


def _reason(answer: urllib3.BaseHTTPResponse, said: bytes) -> str:
    if 300 <= answer.status < 400:
        return f", a redirect to {answer.headers.get('Location', 'nowhere')}: set the channel's url to it"
    text = " ".join(said.decode("utf-8", "replace").split())[:200]
    return f": {text}" if text else ""


def _brief(error: Exception, url: str) -> str:
    text, path = f"{type(error).__name__}: {error}", urlsplit(url).path
    return (text.replace(path, "/…") if len(path) > 1 else text)[:300]
