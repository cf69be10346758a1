"""Mail, as text and HTML, threaded by incident."""

import smtplib
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Final

from tocsin_alerts.channels import SmtpChannel
from tocsin_alerts.charts.drawer import Draw, no_chart
from tocsin_alerts.charts.quality import chart_of
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.message import Message
from tocsin_alerts.outbox import Notification, notification_id
from tocsin_alerts.plain import BREAK, one_line

CHART_PLACE: Final = "<!-- tocsin: chart -->"  # in HTML templates; text from elsewhere cannot hold it
_DOMAIN: Final = "tocsin.invalid"  # of message ids: they name a notification, not a host
_MOST_PUT_OFF: Final = 1_000
_SUBJECT_CHARS: Final = 160


class SmtpNotifier:
    """Sends mail over one server; OK is the 250 after the data."""

    def __init__(self, channel: SmtpChannel, password: Callable[[], str], *, draw: Draw = no_chart) -> None:
        for address in (channel.sender, *channel.recipients):
            _address(address, channel.name)
        self._channel = channel
        self._password = password
        self._draw = draw
        self._put_off: OrderedDict[str, list[str]] = OrderedDict()  # by notification; a restart sends to all again

    def send(self, notification: Notification) -> None:
        """Send one message. Recipients that the server puts off get it later, without those who have it.

        Raises:
            DeliveryFailed: the server did not take it for any recipient, or put one off.
            ChannelError: an address or the password cannot be used.
        """
        mail = compose(self._channel, notification, chart=self._draw(notification.message.data, "png"))
        try:
            with self._connected() as server:
                refused = server.send_message(mail, to_addrs=self._put_off.get(notification.id))
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryFailed(f"mail server of {self._channel.name!r}: {_said(error)}") from error
        self._put_off.pop(notification.id, None)
        if later := [who for who, (code, _) in refused.items() if 400 <= code < 500]:  # grey lists
            self._put_off[notification.id] = later
            while len(self._put_off) > _MOST_PUT_OFF:
                self._put_off.popitem(last=False)
            raise DeliveryFailed(
                f"mail server of {self._channel.name!r} put off {', '.join(later)}: {_refusals(refused)}"
            )
        # Others are refused for good: whoever was told can act, and sending again would tell them twice.

    def _connected(self) -> smtplib.SMTP:
        channel = self._channel
        if channel.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                channel.host, channel.port, timeout=channel.timeout_s, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(channel.host, channel.port, timeout=channel.timeout_s)
        try:
            if channel.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if channel.user:
                server.login(channel.user, self._password())
        except BaseException:
            server.close()
            raise
        return server


def compose(channel: SmtpChannel, notification: Notification, *, chart: bytes | None = None) -> EmailMessage:
    """Write the mail: headers that cannot be injected into, text first, HTML with its chart as the alternative.

    Args:
        channel: From whom, and to whom.
        notification: What it says.
        chart: A PNG, which stands where the template has its place for it; without one nothing does.

    Raises:
        ChannelError: an address is none.
    """
    mail = EmailMessage(policy=SMTP)
    message = notification.message
    mail["From"] = _address(channel.sender, channel.name)
    addresses = {address: _address(address, channel.name) for address in (*channel.recipients, *message.to)}
    mail["To"] = tuple(addresses.values())
    mail["Subject"] = _subject(message.subject)
    mail["Date"] = format_datetime(notification.created_at)
    mail["Message-ID"] = f"<{notification.id}@{_DOMAIN}>"
    if notification.transition != "firing":
        first = notification_id(notification.incident, "firing", notification.channel)
        mail["In-Reply-To"] = f"<{first}@{_DOMAIN}>"
        mail["References"] = f"<{first}@{_DOMAIN}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(message.text, cte="quoted-printable")
    if message.html:
        name = f"chart.{notification.id}@{_DOMAIN}"
        mail.add_alternative(_with_chart(message, name if chart else ""), subtype="html", cte="quoted-printable")
        html = mail.get_body(("html",))
        if chart and CHART_PLACE in message.html and html is not None:
            html.add_related(chart, "image", "png", cid=f"<{name}>", disposition="inline", filename="chart.png")
    return mail


def _with_chart(message: Message, name: str) -> str:
    alt = (chart_of(message.data) or {}).get("alt", "")
    image = f'<p><img src="cid:{name}" alt="{escape(alt)}" width="100%" style="max-width:660px"></p>' if name else ""
    return message.html.replace(CHART_PLACE, image, 1)


def _subject(text: str) -> str:
    """Make text a header's value: one line, and no encoded word, which the mail library would decode, newlines and all."""
    return one_line(text, limit=_SUBJECT_CHARS, keep=BREAK).replace("=?", "= ?")


def is_mail_address(text: str) -> bool:
    """Whether text is one plain mail address, with or without a name before it."""
    return _parsed(text) is not None


def _address(text: str, channel: str) -> Address:
    address = _parsed(text)
    if address is None:
        raise ChannelError(f"channel {channel!r}: expected a mail address, got {text!r}")
    return address


def _parsed(text: str) -> Address | None:
    name, spec = parseaddr(text)
    if "@" not in spec.strip("@") or one_line(text) != text or "," in text:
        return None
    try:
        return Address(display_name=name, addr_spec=spec)
    except (ValueError, IndexError, MessageError):
        return None


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"refused every recipient: {_refusals(error.recipients)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"[:300]


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{who}: {code} {_text(why)}" for who, (code, why) in refused.items())


def _text(said: bytes | str) -> str:
    return one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else said, limit=200)
