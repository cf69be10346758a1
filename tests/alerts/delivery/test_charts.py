"""A chart is one more fact of a message: drawn elsewhere, within a time, and never in its way."""

import email
import email.policy
import json
import sys
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.alerts.delivery.conftest import NOON, Hook

from tocsin_alerts.briefing import brief
from tocsin_alerts.channels import ChatChannel, SmtpChannel
from tocsin_alerts.charts.drawer import Drawer, no_chart
from tocsin_alerts.charts.quality import chart_of
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.fixtures import case_of
from tocsin_alerts.message import Course, Day, Point
from tocsin_alerts.notifiers import ChatNotifier
from tocsin_alerts.notifiers.chat import image_of, slack, teams
from tocsin_alerts.notifiers.pagerduty import event
from tocsin_alerts.notifiers.smtp import CHART_PLACE, compose
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import BARE, FIRING

HOUR = timedelta(hours=1)
SHIPPED = Templates()  # compiled once
PNG = b"\x89PNG\r\n\x1a\n of a chart"
MAIL = SmtpChannel(name="mail", host="h", sender="t@example.com", recipients=("o@example.com",))
ONCE = """
import os
from tocsin_alerts.killable import serve
asked = []
def answer(request):
    asked.append(request)
    return b"png" if len(asked) == 1 else os._exit(0)
serve(answer)
"""  # answers one question, as a process does that nobody asks for a while


def data(**changes: Any) -> dict[str, Any]:
    """Give what a message says, as data."""
    return dict(SHIPPED.compose(replace(FIRING, **changes), chat=False).data)


def drawer(script: str, *, time_s: float = 60.0) -> Drawer:
    """Make a drawer whose process runs a script."""
    return Drawer((sys.executable, "-c", script), time_s=time_s)


class Images(HTMLParser):
    """Lists the images of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one."""
        if tag == "img":
            self.found.append(dict(attrs))


def test_what_is_drawn_is_what_the_message_says() -> None:
    """Labels where there are some, the estimate beside them, the threshold that was crossed."""
    chart = chart_of(data())

    assert chart is not None
    assert {row["by"] for row in chart["rows"]} == {"by labels", "estimated without labels"}
    assert chart["threshold"] == 0.9
    assert chart["onset"] == "2026-04-15"
    assert chart["alt"] == ("Accuracy by day from 2026-03-21 to 2026-04-17, 87.1 % at the end estimated without labels")


def test_nothing_is_drawn_of_nothing() -> None:
    """Two points are no trend, and an empty chart would say that all is well."""
    few = tuple(Day(slot=day.slot, estimated=None, labelled=None) for day in FIRING.days[2:]) + FIRING.days[:2]

    assert chart_of(data(days=())) is None
    assert chart_of(data(days=few)) is None
    assert chart_of({}) is None


def test_a_threshold_of_something_else_is_not_drawn_into_accuracy() -> None:
    """A line at 0.25 PSI in a chart of shares would be false."""
    chart = chart_of(data(lead=replace(FIRING.lead, evaluator="input_psi", unit="PSI", threshold=0.25)))

    assert chart is not None
    assert chart["threshold"] is None


COURSE = Course(
    rule="input-drift",
    labels={"field": "ink"},
    unit="PSI",
    threshold=0.1,
    since=FIRING.slot - HOUR,
    points=tuple(
        Point(slot=FIRING.slot - number * HOUR, value=None if number == 2 else 0.3 - number / 20)
        for number in range(4, -1, -1)
    ),
)


def test_of_a_rule_that_is_not_of_quality_its_own_value_is_drawn() -> None:
    """A field that drifts in a use case whose accuracy is well: the curve of accuracy would say that nothing is the matter."""
    chart = chart_of(data(course=COURSE))

    assert chart is not None
    assert chart["title"] == "input-drift of digit-reader: ink (PSI)"
    assert [row["value"] for row in chart["rows"]] == [pytest.approx(0.1), pytest.approx(0.15), None, 0.25, 0.3]
    assert {row["by"] for row in chart["rows"]} == {"input-drift"}
    assert (chart["threshold"], chart["onset"]) == (0.1, "2026-04-16T23:00:00+00:00")
    assert (
        chart["alt"] == "input-drift from 2026-04-16T20:00 to 2026-04-17T00:00, 0.3 PSI at the end, threshold 0.1 PSI"
    )


def test_what_others_say_is_no_link_in_a_chart() -> None:
    """A field is what a span says, a currency what a price list does; chats read a picture's description."""
    evil = {"field": "https://evil.example", "currency": "@channel"}

    chart = chart_of(data(course=replace(COURSE, labels=evil, unit="<!here>"), use_case="www.evil.example"))

    assert chart is not None
    said = chart["title"] + chart["alt"]
    assert not any(each in said for each in ("https://", "www.evil", "@channel", "<!here"))


def test_too_little_of_its_own_value_leaves_quality() -> None:
    """A rule of yesterday has two slots."""
    chart = chart_of(data(course=replace(COURSE, points=COURSE.points[-2:])))

    assert chart is not None
    assert chart["title"] == "Accuracy of digit-reader by day"


@pytest.mark.parametrize("rule", ["accuracy-below-floor", "null-rate"])
def test_a_chart_is_of_what_is_read_first(rules: Any, rule: str) -> None:
    """Quality keeps accuracy by day; the threshold beside another value is that of its rule."""
    made = chart_of(SHIPPED.compose(brief(case_of(rules.rules[rule], "firing", rules)), chat=False).data)

    assert made is not None
    is_own = rule == "null-rate"
    assert made["title"] == ("null-rate of digit-reader: ink" if is_own else "Accuracy of digit-reader by day")
    assert made["threshold"] == (pytest.approx(0.01) if is_own else 0.9)


def test_it_is_drawn_by_vega() -> None:
    """The same specification as PNG and SVG, in the process that messages use."""
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    made = Drawer(time_s=240.0)  # for a busy machine

    png, svg = made(data(), "png"), made(data(), "svg")
    own = made(data(course=COURSE), "svg")

    made.close()
    assert b"input-drift of digit-reader: ink" in (own or b"")
    assert png is not None
    assert svg is not None
    assert png.startswith(b"\x89PNG")
    assert len(png) < 200_000
    assert b"Accuracy of digit-reader by day" in svg


@pytest.mark.parametrize(
    "script",
    [
        "import time; time.sleep(3600)",
        "raise SystemExit(1)",
        "print('not an image, but a long text of no meaning', flush=True); input()",
        "from tocsin_alerts.killable import serve; serve(lambda asked: b'')",
    ],
    ids=["hangs", "dies", "babbles", "cannot"],
)
def test_whatever_happens_to_the_process_there_is_only_no_chart(script: str) -> None:
    """A page waits for no decoration, and a process that hangs is killed."""
    made = drawer(script, time_s=0.5)

    drawn = made(data(), "png")

    assert drawn is None
    made.close()


def test_a_process_that_has_ended_is_started_again_and_what_was_drawn_is_kept() -> None:
    """It ends when it has nothing to do; and a chart goes to several recipients."""
    made = drawer(ONCE)

    first = made(data(), "png")
    other = made(data(use_case="other"), "png")
    made.close()
    again = made(data(), "png")

    assert (first, other, again) == (b"png", b"png", b"png")


def test_without_what_draws_there_is_no_chart() -> None:
    """It is an extra."""
    assert no_chart(data(), "png") is None


def _mail(notification: Any, chart: bytes | None, view: Any = FIRING) -> EmailMessage:
    sent = notification(message=SHIPPED.compose(view, chat=False))
    raw = compose(MAIL, sent, chart=chart).as_bytes()
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def test_a_mail_shows_its_chart_inline(notification: Any) -> None:
    """By its content id: no mail program fetches anything from anywhere."""
    mail = _mail(notification, PNG)

    html, images = mail.get_body(("html",)), Images()
    assert html is not None
    images.feed(html.get_content())
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert image.get_content() == PNG
    assert [each["src"] for each in images.found] == [f"cid:{image['content-id'].strip('<>')}"]
    assert (images.found[0]["alt"] or "").startswith("Accuracy by day")
    assert image.get_content_disposition() == "inline"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "▁" in text.get_content()


@pytest.mark.parametrize(("chart", "view"), [(None, FIRING), (b"", FIRING), (None, BARE)])
def test_a_mail_without_a_chart_has_no_place_for_one(notification: Any, chart: bytes | None, view: Any) -> None:
    """A frame around nothing looks like a failure of the model."""
    mail = _mail(notification, chart, view)

    html, images = mail.get_body(("html",)), Images()
    assert html is not None
    images.feed(html.get_content())
    assert images.found == []
    assert CHART_PLACE not in html.get_content()
    assert not any(part.get_content_type() == "image/png" for part in mail.walk())


def test_chats_are_shown_the_picture_where_they_can_fetch_it(notification: Any) -> None:
    """Only with a public address."""
    linked = notification(message=Templates(public_url="https://t.example.com").compose(FIRING, chat=True))
    unlinked = notification(message=SHIPPED.compose(FIRING, chat=True))

    image = image_of(linked)

    assert image is not None
    assert image["url"] == f"https://t.example.com/alerts/{FIRING.incident}/chart.png"
    assert slack(linked, image=image)["blocks"][-1]["image_url"] == image["url"]
    assert teams(linked, image=image)["attachments"][0]["content"]["body"][-1]["url"] == image["url"]
    assert image_of(unlinked) is None


def test_chats_and_pagers_link_the_page(notification: Any) -> None:
    """It is where somebody takes the incident from a phone."""
    linked = notification(message=Templates(public_url="https://t.example.com").compose(FIRING, chat=True))
    unlinked = notification(message=SHIPPED.compose(FIRING, chat=True))
    page = f"https://t.example.com/alerts/{FIRING.incident}"

    (section,) = [block for block in slack(linked)["blocks"] if block["type"] == "section"]
    card = teams(linked)["attachments"][0]["content"]

    assert section["text"]["text"] == f"<{page}|Acknowledge or silence> · <{FIRING.dashboard}|Dashboard>"
    assert [each["url"] for each in card["actions"] if each["type"] == "Action.OpenUrl"] == [page, FIRING.dashboard]
    assert page in [each["href"] for each in event(linked)["links"]]
    assert page not in json.dumps([slack(unlinked), teams(unlinked), event(unlinked)])


def test_a_chat_that_cannot_fetch_the_picture_gets_the_message_without_it(hook: Hook, notification: Any) -> None:
    """Slack refuses a whole message for a picture behind a sign-in."""
    channel = ChatChannel(name="c", app="slack", url="env:X", timeout_s=30)
    sent = notification(message=Templates(public_url="https://t.example.com").compose(FIRING, chat=True))
    hook.status = 400
    notifier = ChatNotifier(channel, lambda: f"http://127.0.0.1:{hook.port}/s", now=lambda: NOON, has_charts=True)

    with pytest.raises(DeliveryFailed):
        notifier.send(sent)

    kinds = [[block["type"] for block in json.loads(body)["blocks"]] for _, _, body in hook.requests]
    assert ["image" in each for each in kinds] == [True, False]
