"""The switch outside hears of every round that came further, and of nothing else."""

from pathlib import Path

import pytest
from tests.alerts.retraining.receiving import Receiver, receiver

from tocsin_alerts.errors import DeliveryFailed
from tocsin_console.config import Flags, resolve
from tocsin_console.dead_man import DeadMan
from tocsin_console.errors import UsageProblem
from tocsin_console.process import now

__all__ = ("receiver",)


def switch(tmp_path: Path, said: str, **environment: str) -> DeadMan | None:
    """Make the one of a tocsin.yaml."""
    (tmp_path / "tocsin.yaml").write_text(said)
    config = resolve(Flags(), environment={}, cwd=tmp_path)
    return DeadMan.of(config, environment=environment, now=now)


def test_it_is_told_once_a_round(tmp_path: Path, receiver: Receiver) -> None:
    """A process that lives and evaluates nothing must not look well from outside."""
    made = switch(tmp_path, "dead_man: {url: env:SWITCH}", SWITCH=f"{receiver.url}/ping/secret")
    assert made is not None

    made.turn()
    made.advanced()
    made.advanced()
    made.turn()
    made.turn()

    assert [path for path, _, _ in receiver.posts] == ["/ping/secret"]


def test_what_was_not_taken_is_told_again(tmp_path: Path, receiver: Receiver) -> None:
    """One lost packet would wake somebody; the address, which is the secret, is in no error."""
    made = switch(tmp_path, f"dead_man: {{url: '{receiver.url}/ping/secret', timeout_s: 2}}")
    assert made is not None
    made.advanced()
    receiver.status = 503

    with pytest.raises(DeliveryFailed, match="503") as refused:
        made.turn()
    receiver.status = 200
    made.turn()

    assert "secret" not in str(refused.value)
    assert len(receiver.posts) == 2


def test_without_one_nothing_is_told_and_a_secret_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    """Found out at the start, not on the day on which nobody was alarmed."""
    assert switch(tmp_path, "{}") is None
    with pytest.raises(UsageProblem, match=r"dead man's switch.*SWITCH"):
        switch(tmp_path, "dead_man: {url: env:SWITCH}")
