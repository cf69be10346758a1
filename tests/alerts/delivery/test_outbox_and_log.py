"""What was said is on record, and reads back as it was."""

import io
import json
from typing import Any

from tocsin_alerts.notifiers import LogNotifier
from tocsin_alerts.outbox import Outbox


def test_what_waits_reads_back_as_it_was(database: Any, notification: Any, clock: Any) -> None:
    """A restart sends the very message that was written, not another of the same incident."""
    outbox, waiting = Outbox(database), notification()

    outbox.add([waiting], now=clock())

    (read,) = Outbox(database).pending()
    assert (read.id, read.message, read.created_at, read.slot) == (
        waiting.id,
        waiting.message,
        waiting.created_at,
        waiting.slot,
    )


def test_the_last_version_of_a_notification_counts(database: Any, notification: Any, clock: Any) -> None:
    """Attempts add versions; what is done waits no more."""
    outbox, waiting = Outbox(database), notification()
    outbox.add([waiting], now=clock())
    (read,) = outbox.pending()

    tried = outbox.settle(read, "pending", attempts=1, error="down", now=clock())
    outbox.settle(tried, "sent", attempts=2, error="", now=clock())

    assert outbox.pending() == []
    assert [(said.id, said.state) for said in outbox.known()] == [(waiting.id, "sent")]


def test_adding_again_does_not_bring_back_what_was_sent(database: Any, notification: Any, clock: Any) -> None:
    """The same id written by a replay is older than its outcome."""
    outbox, waiting = Outbox(database), notification()
    outbox.add([waiting], now=clock())
    (read,) = outbox.pending()
    outbox.settle(read, "sent", attempts=1, error="", now=clock())

    outbox.add([waiting], now=clock())

    assert outbox.pending() == []


def test_the_log_is_one_json_line_a_message(notification: Any) -> None:
    """Whatever the message holds, a log stays a line."""
    stream = io.StringIO()

    LogNotifier(lambda line: stream.write(line + "\n")).send(notification())

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["data"]["subject"] == "Subject"
