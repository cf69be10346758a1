"""One JSON line a message."""

import json
import logging
from collections.abc import Callable

from tocsin_alerts.notifiers.envelope import envelope
from tocsin_alerts.outbox import Notification


class LogNotifier:
    """Writes messages as JSON lines; without a writer of its own, to the logger ``tocsin.alerts``."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or logging.getLogger("tocsin.alerts").warning

    def send(self, notification: Notification) -> None:
        """Write one line."""
        self._write(json.dumps(envelope(notification), ensure_ascii=False))
