"""How a message leaves: to the log, to a webhook, by mail."""

from tocsin_alerts.notifiers.log import LogNotifier
from tocsin_alerts.notifiers.smtp import SmtpNotifier
from tocsin_alerts.notifiers.webhook import WebhookNotifier

__all__ = ["LogNotifier", "SmtpNotifier", "WebhookNotifier"]
