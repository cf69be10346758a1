"""Test messages go out as real ones do, marked, and each channel says for itself what became of them."""

from typing import Any

from tocsin_alerts.channel_trial import try_channels
from tocsin_alerts.channels import LogChannel, PagerDutyChannel, SmtpChannel
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.render import Templates

MAIL = SmtpChannel(name="mail", host="h", sender="a@x.org", recipients=("b@x.org",))


def test_each_channel_is_told_that_nothing_began_and_that_it_is_over(receiver: Any, clock: Any) -> None:
    """A pager that is only triggered stays on; one that is marked in the small print only wakes people."""
    pager = type(receiver)()

    tried = try_channels(
        [(LogChannel(), receiver), (PagerDutyChannel(name="pd", routing_key="env:K"), pager)], Templates(), now=clock
    )

    assert [(each.channel, each.kind, each.error) for each in tried] == [
        ("log", "LogChannel", ""),
        ("pd", "PagerDutyChannel", ""),
    ]
    for taken in (receiver, pager):
        assert taken.transitions == ["firing", "resolved"]
        assert len({each.incident for each in taken.taken}) == 1
        assert all(each.message.subject.startswith("TEST") for each in taken.taken)
        assert all(each.message.text.lstrip().startswith("TEST") for each in taken.taken)


def test_one_that_fails_keeps_nobody_from_the_next(receiver: Any, clock: Any) -> None:
    """The second mistake of a configuration has to be seen beside the first."""
    broken = type(receiver)(is_down=DeliveryFailed("mail 'mail' refused the password"))

    tried = try_channels([(MAIL, broken), (LogChannel(), receiver)], Templates(), now=clock)

    assert [each.error for each in tried] == ["mail 'mail' refused the password", ""]
