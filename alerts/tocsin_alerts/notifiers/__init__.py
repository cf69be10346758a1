"""How a message leaves: to the log, to a webhook, to PagerDuty, Alertmanager, Slack or Teams, by mail, by what Apprise knows."""

from tocsin_alerts.notifiers.alertmanager import AlertmanagerNotifier
from tocsin_alerts.notifiers.apprise import AppriseNotifier
from tocsin_alerts.notifiers.chat import ChatNotifier
from tocsin_alerts.notifiers.log import LogNotifier
from tocsin_alerts.notifiers.pagerduty import PagerDutyNotifier
from tocsin_alerts.notifiers.slack_bot import SlackBotNotifier
from tocsin_alerts.notifiers.smtp import SmtpNotifier
from tocsin_alerts.notifiers.webhook import WebhookNotifier

__all__ = [
    "AlertmanagerNotifier",
    "AppriseNotifier",
    "ChatNotifier",
    "LogNotifier",
    "PagerDutyNotifier",
    "SlackBotNotifier",
    "SmtpNotifier",
    "WebhookNotifier",
]
