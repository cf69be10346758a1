"""Verbs about plans: the five questions of a use case, asked and checked."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import ConfigFile, Json, settle
from tocsin_console.cli.output import complain, print_json, say
from tocsin_console.errors import FINDING, UsageProblem

if TYPE_CHECKING:
    from tocsin_alerts.plan import Plan


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    plan = typer.Typer(help="Plans: what right means, who is called and what happens then.", no_args_is_help=True)
    plan.command("init")(init)
    plan.command("check")(check)
    app.add_typer(plan, name="plan")


def init(
    name: Annotated[str, typer.Argument(help="The use case, as its calls name it.")],
    *,
    answers: Annotated[Path | None, typer.Option(help="YAML or JSON file with answers, instead of asking.")] = None,
    said: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, such as quality.floor=0.9.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a plan that exists.")] = False,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Ask the five questions and write use_cases/NAME.yaml. An empty answer leaves a question open."""
    from tocsin_console import interview

    folder = settle(config=config).use_cases_dir
    given = interview.read_answers(answers, said or [])
    project = str(given.get("project") or "default")
    named = name if project == "default" else f"{project}/{name}"
    file = folder / f"{named.replace('/', '--')}.yaml"
    if file.exists() and not force:
        raise UsageProblem(f"expected no plan at {file} yet: edit that file, or give --force to write over it")
    if not given and not json and sys.stdin.isatty():
        given = interview.ask(name)
    text, plan = interview.write_plan(name, given)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    open_questions = plan.unanswered()
    if json:
        print_json({"file": file, "plan": plan.model_dump(mode="json"), "unanswered": open_questions})
        return
    say(f"wrote {file}")
    for question in open_questions:
        say(f"  open: {question.text} ({', '.join(question.missing)})")
    complain("'tocsin up' reads plans when it starts")


def check(*, config: ConfigFile = None, json: Json = False) -> None:
    """Check every plan. Exits 1 when one does not read or leaves a question open."""
    from tocsin_alerts.errors import DocumentError
    from tocsin_alerts.plan import Plans

    folder = settle(config=config).use_cases_dir
    wrong: list[str] = []
    plans = Plans()
    try:
        plans = Plans.load(folder)
    except DocumentError as error:
        wrong = [str(finding) for finding in error.findings]
    open_questions = {_name(plan): plan.unanswered() for plan in plans}
    if json:
        print_json({"folder": folder, "plans": len(plans), "findings": wrong, "unanswered": open_questions})
    else:
        _describe(folder, wrong, open_questions)
    if wrong or any(open_questions.values()):
        raise typer.Exit(FINDING)


def _name(plan: "Plan") -> str:
    return plan.use_case if plan.project == "default" else f"{plan.project}/{plan.use_case}"


def _describe(folder: Path, wrong: list[str], open_questions: dict[str, list[Any]]) -> None:
    if not wrong and not open_questions:
        say(f"no plans in {folder}: make one with 'tocsin plan init NAME'")
    for line in wrong:
        say(line)
    for use_case, questions in open_questions.items():
        say(f"{use_case}: {'complete' if not questions else f'{len(questions)} of 5 questions are open'}")
        for question in questions:
            say(f"  {question.text} ({', '.join(question.missing)})")
