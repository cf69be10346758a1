"""The verb about messages: rules render."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import ConfigFile, Json, settle
from tocsin_console.cli.output import complain, print_json, say
from tocsin_console.errors import FINDING, UsageProblem

if TYPE_CHECKING:
    from tocsin_alerts.fixtures import Fixture
    from tocsin_alerts.rendition import Kind
    from tocsin_console.config import Config


def register(rules: typer.Typer) -> None:
    """Add the verb."""
    rules.command("render")(render)


def render(
    name: Annotated[str, typer.Argument(help="A rule.")],
    *,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            help="A channel of tocsin.yaml, or log, webhook, pagerduty, slack, teams, smtp, alertmanager, apprise: as it would be sent.",
            show_default="the text alone",
        ),
    ] = None,
    fixture: Annotated[
        str | None,
        typer.Option("--fixture", help="firing, night, resolved, no-data, error or fifty.", show_default="each"),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Show what a rule would say about a use case that does not exist. Exits 1 where a channel would refuse or cut it."""
    from tocsin_alerts.documents import suggest
    from tocsin_alerts.fixtures import FIXTURES
    from tocsin_alerts.render import Templates
    from tocsin_alerts.rule_rendering import lint_rule
    from tocsin_console import rulebook

    settled = settle(config=config)
    rules = rulebook.read(settled).book
    rule = rules.get(name)
    if rule is None:
        raise UsageProblem(f"unknown rule {name!r}: {suggest(name, [each.name for each in rules])}")
    if fixture is not None and fixture not in FIXTURES:
        raise UsageProblem(f"unknown fixture {fixture!r}: {suggest(fixture, FIXTURES)}")
    fixtures = [each for each in FIXTURES if fixture in (None, each)]
    folder = settled.templates_dir
    templates = Templates(folder if folder.is_dir() else None, public_url=settled.public_url, apart=True)
    try:
        kind = _kind(settled, channel)
        made = [_rendered(rule, each, kind, rules, templates) for each in fixtures]
        found = [str(each) for each in lint_rule(rule, fixtures, rules=rules, templates=templates)]
    finally:
        templates.close()
    if json:
        print_json({"rule": rule.name, "messages": made, "findings": found})
    else:
        for each in made:
            say(f"--- {rule.name}, {each['fixture']}" + (f", {each['channel']}" if channel else ""))
            say(each["body"] if channel else f"Subject: {each['subject']}\n\n{each['text']}")
        for finding in found:
            complain(finding)
    if found:
        raise typer.Exit(FINDING)


def _rendered(rule: Any, fixture: "Fixture", kind: "Kind", rules: Any, templates: Any) -> dict[str, Any]:
    from tocsin_alerts.errors import AlertsError
    from tocsin_alerts.rendition import rendition
    from tocsin_alerts.rule_rendering import render_rule, render_short

    try:
        made = render_rule(rule, fixture, kind, rules=rules, templates=templates)
    except AlertsError as error:
        made = render_short(rule, fixture, kind, rules=rules, reason=str(error))
    message, body = made.message, rendition(kind, made).decode("utf-8", "replace")
    return {"fixture": fixture, "channel": kind, "subject": message.subject, "text": message.text, "body": body}


def _kind(settled: "Config", channel: str | None) -> "Kind":
    """Say of which kind a channel is, by its name in tocsin.yaml or by that of the kind; without one, a mail's."""
    from tocsin_alerts.documents import suggest
    from tocsin_alerts.rendition import KINDS, kind_of
    from tocsin_console.notifiers import channels_of

    known: dict[str, Kind] = {str(kind): kind for kind in KINDS}
    known |= {each.name: kind_of(each) for each in channels_of(settled)}
    if channel is None:
        return "smtp"
    if channel not in known:
        raise UsageProblem(f"unknown channel {channel!r}: {suggest(channel, sorted(known))}")
    return known[channel]
