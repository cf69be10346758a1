"""A channel: somewhere that messages go."""

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from tocsin_console.sections.section import Section

Severities = tuple[Literal["page", "ticket", "log"], ...]

_KEYS_OF_TYPE: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {  # needed, and further
    "log": ((), ()),
    "webhook": (("url",), ("secret", "timeout_s")),
    "pagerduty": (("routing_key",), ("url", "webhook_secret", "timeout_s")),
    "alertmanager": (("urls",), ("user", "password", "resend_s", "timeout_s")),
    "slack": (("url",), ("signing_secret", "timeout_s")),
    "slack_bot": (("token", "room"), ("signing_secret", "url", "timeout_s")),
    "apprise": (("url",), ()),
    "teams": (("url",), ("timeout_s",)),
    "smtp": (("host", "sender", "recipients"), ("port", "user", "password", "tls", "timeout_s")),
}


class Channel(Section):
    """Where messages go: the log, a webhook (signed as Standard Webhooks), PagerDuty, Alertmanager, Slack, Teams, mail, or what Apprise knows."""

    name: str = Field(min_length=1)
    """Name by which plans, rules and commands mean it."""
    type: Literal["log", "webhook", "pagerduty", "alertmanager", "slack", "slack_bot", "teams", "smtp", "apprise"]
    """What it is; which of the further keys it needs and may have depends on this."""
    severities: Severities | None = None
    """What it is told where neither rule nor plan names channels; left out, everything for `log` and `alertmanager`, pages for the others."""
    updates: bool | None = None
    """Whether it also hears when an open incident gains evidence; left out, true of all but `smtp` and `apprise`."""
    url: str | None = None
    """Where it is posted to; of `slack`, `teams` and `apprise` as `env:NAME` or `file:PATH`, since whoever has the address can post."""
    urls: tuple[str, ...] | None = None
    """Of `alertmanager`: the address of every replica, not of a balancer before them."""
    resend_s: float | None = Field(default=None, ge=1, le=3_600)
    """Of `alertmanager`: seconds after which what fires is posted again; left out, 60."""
    routing_key: str | None = None
    """Of `pagerduty`: the integration's key, as `env:NAME` or `file:PATH`."""
    secret: str | None = None
    """Of `webhook`: the secret `whsec_…` that messages are signed with, as `env:NAME` or `file:PATH`; left out, they are not signed."""
    token: str | None = None
    """Of `slack_bot`: the bot's token `xoxb-…`, as `env:NAME` or `file:PATH`."""
    room: str | None = None
    """Of `slack_bot`: the id of the room, `C…`, that the bot is in."""
    signing_secret: str | None = None
    """Of a Slack app, as `env:NAME` or `file:PATH`: with it messages get a button to take the incident."""
    webhook_secret: str | None = None
    """Of a PagerDuty webhook, as `env:NAME` or `file:PATH`: with it whoever acknowledges there has the incident here."""
    host: str | None = None
    """Of `smtp`: the mail server."""
    port: int | None = Field(default=None, gt=0, lt=65536)
    """Of `smtp`: its port; left out, 25."""
    sender: str | None = None
    """Of `smtp`: the address that mail comes from."""
    recipients: tuple[str, ...] | None = None
    """Of `smtp`: the addresses that it goes to."""
    user: str | None = None
    """Of `smtp` and `alertmanager`: the user to sign in as; left out, nobody."""
    password: str | None = None
    """The user's password, as `env:NAME` or `file:PATH`."""
    tls: Literal["none", "starttls", "tls"] | None = None
    """Of `smtp`: how the connection is encrypted; left out, `starttls`."""
    timeout_s: float | None = Field(default=None, gt=0)
    """Seconds that one attempt may take; left out, 10."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, more = _KEYS_OF_TYPE[self.type]
        given = {key for key in type(self).model_fields if getattr(self, key) not in (None, ())}
        for key in sorted(given - {"name", "type", "severities", "updates", *needed, *more}):
            valid = ", ".join((*needed, *more)) or "none beyond name, severities and updates"
            raise ValueError(f"a {self.type} channel has no {key!r}: its own keys are {valid}")
        for key in needed:
            if key not in given:
                raise ValueError(f"a {self.type} channel needs {key!r}")
        return self

    def said(self) -> dict[str, Any]:
        """Give what was said of this channel, without its type."""
        return self.model_dump(exclude={"type"}, exclude_none=True)
