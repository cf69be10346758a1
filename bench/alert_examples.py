"""Writes docs/alerts: what each kind of channel is sent of one page, and of its end, and what is said without data and of fifty.

    python bench/alert_examples.py             # writes what has changed
    python bench/alert_examples.py --draw      # draws its charts anew, too
    python bench/alert_examples.py --shoot chromium   # and a picture of the mail

The pictures are not compared by tests: they depend on fonts.
"""

import argparse
import base64
import email
import email.policy
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tocsin_alerts.charts.drawer import Drawer
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.notifiers.smtp import CHART_PLACE
from tocsin_alerts.render import Templates
from tocsin_alerts.rendition import KINDS, rendition
from tocsin_alerts.rule_rendering import render_rule
from tocsin_alerts.rules import RuleBook, load_rules

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "alerts"
CHART: Final = "chart.png"
OWN_CHART: Final = "chart-own.png"  # of a rule whose value is not quality
MAIL_PICTURE: Final = "mail-firing.png"
RULE: Final = "accuracy-below-floor"
OWN_RULE: Final = "latency"
PUBLIC_URL: Final = "https://tocsin.example.com"


def examples(rules: RuleBook, chart: bytes) -> Mapping[str, bytes]:
    """Write every example but the pictures, by the name of its file."""
    templates = Templates(public_url=PUBLIC_URL)
    rule, made = rules.rules[RULE], {}
    for fixture in ("firing", "resolved"):
        for kind in KINDS:
            sent = render_rule(rule, fixture, kind, rules=rules, templates=templates)
            body = rendition(kind, sent, chart=chart if fixture == "firing" else None)
            made[f"{kind}-{fixture}.{'eml' if kind == 'smtp' else 'json'}"] = _with_boundaries(body, kind)
    for fixture in ("firing", "night", "resolved", "no-data", "error", "fifty"):
        sent = render_rule(rule, fixture, "smtp", rules=rules, templates=Templates())
        made[f"text-{fixture}.txt"] = f"Subject: {sent.message.subject}\n\n{sent.message.text}".encode()
    return made


def html(rules: RuleBook, chart: bytes) -> str:
    """Write the page that a mail shows, with its chart in it."""
    sent = render_rule(rules.rules[RULE], "firing", "smtp", rules=rules, templates=Templates(public_url=PUBLIC_URL))
    image = f'<p><img src="data:image/png;base64,{base64.b64encode(chart).decode()}" width="100%"></p>'
    return sent.message.html.replace(CHART_PLACE, image)


def shipped() -> RuleBook:
    """Read the shipped rules."""
    return load_rules(evaluators=load_evaluators())


def _with_boundaries(body: bytes, kind: str) -> bytes:
    """Give a mail boundaries that are the same each time; real ones are drawn, so that nobody can write one."""
    if kind != "smtp":
        return body
    mail = email.message_from_bytes(body, policy=email.policy.SMTP)
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=====boundary-{number}=====")
    return mail.as_bytes().replace(b"\r\n", b"\n")


def _draw(rules: RuleBook, name: str) -> bytes:
    sent = render_rule(rules.rules[name], "firing", "smtp", rules=rules, templates=Templates())
    drawer = Drawer(time_s=120.0)
    drawn = drawer(sent.message.data, "png")
    drawer.close()
    if not drawn:
        raise SystemExit("the chart cannot be drawn: pip install 'tocsin[charts]'")
    return drawn


def _shoot(browser: str, page: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mail.html"
        file.write_text(page, encoding="utf-8")
        options = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
        )
        size, out = "--window-size=760,1960", f"--screenshot={FOLDER / MAIL_PICTURE}"
        subprocess.run([browser, *options, f"--user-data-dir={folder}/profile", size, out, file.as_uri()], check=True)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--shoot", metavar="BROWSER")
    asked = parser.parse_args()
    rules = shipped()
    if asked.draw or not (FOLDER / CHART).exists():
        (FOLDER / CHART).write_bytes(_draw(rules, RULE))
        (FOLDER / OWN_CHART).write_bytes(_draw(rules, OWN_RULE))
    chart = (FOLDER / CHART).read_bytes()
    for name, content in examples(rules, chart).items():
        (FOLDER / name).write_bytes(content)
        print(FOLDER / name)
    if asked.shoot:
        _shoot(asked.shoot, html(rules, chart))


if __name__ == "__main__":
    main()
