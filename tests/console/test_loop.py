"""A loop that survives."""

import threading

from tocsin_console.loop import Loop

_PATIENCE_S = 10.0


def test_a_failing_turn_is_counted_and_tried_again() -> None:
    """A bug in one evaluator must not end alerting, nor ingestion beside it."""
    mended = threading.Event()
    turns: list[int] = []

    def turn() -> None:
        turns.append(1)
        if len(turns) < 3:
            raise ZeroDivisionError("by hand")
        mended.set()

    loop = Loop("test", turn, period_s=0.01)
    loop.start()
    assert mended.wait(_PATIENCE_S)
    assert loop.stop(timeout_s=_PATIENCE_S)

    stats = loop.stats()
    assert stats.failures == 2
    assert stats.consecutive_failures == 0
    assert stats.last_error == "ZeroDivisionError: by hand"


def test_waking_takes_a_turn_before_the_period_is_over() -> None:
    """Data that has just landed is evaluated now, not in an hour."""
    turned = threading.Semaphore(0)
    loop = Loop("test", turned.release, period_s=3600)
    loop.start()
    assert turned.acquire(timeout=_PATIENCE_S)

    loop.wake()

    assert turned.acquire(timeout=_PATIENCE_S)
    assert loop.stop(timeout_s=_PATIENCE_S)


def test_stopping_does_not_wait_for_a_backoff() -> None:
    """SIGTERM must not take a minute because the store is away."""
    failed = threading.Event()

    def turn() -> None:
        failed.set()
        raise OSError("away")

    loop = Loop("test", turn, period_s=3600)
    loop.start()
    assert failed.wait(_PATIENCE_S)

    assert loop.stop(timeout_s=_PATIENCE_S)
