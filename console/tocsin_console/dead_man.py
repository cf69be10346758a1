"""The dead man's switch: something outside is told after each round of evaluation, and raises the alarm when it no longer is."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Self

from tocsin_alerts.notifiers.posting import Post, require_http
from tocsin_console.config import Config, secret

PERIOD_S: Final = 60.0


class DeadMan:
    """Posts to one address when evaluation has come further; in a loop of its own, so that nothing waits for it.

    Args:
        url: Followed at each use: such an address is all the secret there is.
        timeout_s: For the answer.
        now: The time of day.
    """

    def __init__(self, url: Callable[[], str], *, timeout_s: float, now: Callable[[], datetime]) -> None:
        self._url = url
        self._post = Post("the dead man's switch", timeout_s=timeout_s, now=now)
        self._has_news = threading.Event()

    @classmethod
    def of(cls, config: Config, *, environment: Mapping[str, str], now: Callable[[], datetime]) -> Self | None:
        """Make the one of tocsin.yaml; None where it names none.

        Raises:
            UsageProblem: a secret is missing.
            ChannelError: it is no http(s) address.
        """
        said = config.dead_man
        if said is None:
            return None

        def read() -> str:
            if said.url.startswith(("http://", "https://")):
                return said.url
            return secret(
                said.url, environment=environment, base=config.folder, what="the address of the dead man's switch"
            )

        require_http("dead_man.url", read())
        return cls(read, timeout_s=said.timeout_s, now=now)

    def advanced(self) -> None:
        """Note that a round was completed; callable from any thread."""
        self._has_news.set()

    def turn(self) -> None:
        """Tell, once, if evaluation has advanced since the last time.

        Raises:
            DeliveryFailed: it was not taken: take the turn again.
        """
        if not self._has_news.is_set():
            return
        self._has_news.clear()
        try:
            self._post.send(self._url(), b"{}")
        except Exception:
            self._has_news.set()
            raise
