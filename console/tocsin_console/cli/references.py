"""Verbs about what the present is compared with: reference show and freeze, release accept and list."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, person, settle
from tocsin_console.cli.output import named, print_json, print_table, say, when
from tocsin_console.client import Client
from tocsin_console.errors import FINDING, Unreachable, UsageProblem
from tocsin_console.wire import plain

if TYPE_CHECKING:
    from tocsin_console.labels.files import LabelFile
    from tocsin_console.reference_desk import ReferenceDesk

UseCase = Annotated[str, typer.Argument(help="The use case, as its calls name it.")]
Project = Annotated[str, typer.Option("--project", help="Its project.")]
Model = Annotated[str | None, typer.Option("--model-version", help="Which version, where several come into question.")]
Prompt = Annotated[str | None, typer.Option("--prompt-version", help="As --model-version.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    reference = typer.Typer(help="References: what the present is compared with.", no_args_is_help=True)
    reference.command("show")(show)
    reference.command("freeze")(freeze)
    reference.command("load")(load)
    app.add_typer(reference, name="reference")
    release = typer.Typer(help="Releases: which versions have been accepted as they are.", no_args_is_help=True)
    release.command("accept")(accept)
    release.command("list")(list_releases)
    app.add_typer(release, name="release")


def show(
    use_case: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    *,
    project: Annotated[str | None, typer.Option("--project", help="Only of this project.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show what each version is compared with: the window that is frozen, or how far it is from one."""
    found = [
        each
        for each in _listed(config, data_dir, api)
        if use_case in (None, each["use_case"]) and project in (None, each["project"])
    ]
    if use_case is not None and not found:
        raise UsageProblem(
            f"expected a use case with calls or a reference, got {use_case!r}: see 'tocsin use-cases ls'"
        )
    if json:
        print_json(found)
        return
    rows = [(named(each), each["model_version"], each["prompt_version"], each["calls"], each["line"]) for each in found]
    print_table(("use case", "model", "prompt", "calls", "reference"), rows, empty="no calls yet: nothing to freeze")


def list_releases(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """List the versions of each use case: who accepted which, and which nobody has."""
    found = _listed(config, data_dir, api)
    if json:
        print_json(found)
        return
    rows = [
        (
            named(each),
            each["model_version"],
            each["prompt_version"],
            each["calls"],
            when(each["first_hour"]),
            each["accepted_by"] or "not accepted",
            when(each["accepted_at"]),
            each["reason"],
        )
        for each in found
    ]
    columns = ("use case", "model", "prompt", "calls", "since", "accepted by", "at", "why")
    print_table(columns, rows, empty="no versions yet")


def accept(
    use_case: UseCase,
    *,
    project: Project = "default",
    model_version: Model = None,
    prompt_version: Prompt = None,
    reason: Reason = "",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Accept the new version as it is: from now on the present is compared with it.

    Until then it is compared with the last accepted one, from its 200th call on. Its reference is its first four whole weeks;
    before they have passed its calls so far, whose verdicts are tickets and no pages.
    """
    _decide("accept", locals())


def freeze(
    use_case: UseCase,
    *,
    project: Project = "default",
    model_version: Model = None,
    prompt_version: Prompt = None,
    reason: Reason = "",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Freeze an accepted version anew, by its last four whole weeks. What has drifted by now is then what is normal."""
    _decide("freeze", locals())


def load(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with a line of column names.")],
    *,
    use_case: Annotated[str, typer.Option("--use-case", help="The use case, as its calls name it.")],
    mapped: Annotated[
        list[str] | None, typer.Option("--map", help="ROLE=COLUMN; roles: output, label, confidence, correct.")
    ] = None,
    ignored: Annotated[
        list[str] | None, typer.Option("--ignore", help="A column that is no input: an id, a time.")
    ] = None,
    project: Project = "default",
    model_version: Model = None,
    prompt_version: Prompt = None,
    reason: Reason = "",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Take training or test rows as the day-one reference. Columns that play no role are inputs; no row leaves the file.

    What leans on it is a ticket and never a page, until four whole weeks of calls have replaced it. Exits 1 when rows cannot
    be read.
    """
    from tocsin_alerts.reference_rows import RowCounts
    from tocsin_console.labels import files, training

    rows = files.opened(file)
    columns = training.match(rows.names, _pairs(mapped or []), ignored or [])
    with _reading(rows, quiet=json) as progress:
        counts = training.count(rows, columns, progress=progress)
    asked = {"use_case": use_case, "project": project, "reason": reason}
    asked |= {"model_version": model_version} if model_version is not None else {}
    asked |= {"prompt_version": prompt_version} if prompt_version is not None else {}
    actor, document = person(by), counts.document()
    kept = _either(
        config,
        data_dir,
        api,
        lambda client: client.post("/api/references/load", {**asked, "counts": document, "actor": actor}),
        lambda desk: desk.load(asked, RowCounts.of(document), by=actor),
    )
    if json:
        print_json({**kept, "problems": counts.problems, "inputs": sorted(columns.inputs)})
    else:
        for problem in counts.problems:
            say(problem)
        say(f"{named(kept)}: {kept['rows']:,} rows, {kept['labels']:,} of them labelled, {kept['refused']:,} refused")
        say(
            f"inputs: {', '.join(columns.inputs) or 'none'}; provisional: tickets and no pages, until four weeks of calls"
        )
    if counts.refused:
        raise typer.Exit(FINDING)


def _pairs(mapped: list[str]) -> dict[str, str]:
    wrong = [each for each in mapped if "=" not in each]
    if wrong:
        raise UsageProblem(f"expected --map ROLE=COLUMN, got {wrong[0]!r}")
    return dict(each.split("=", 1) for each in mapped)


@contextmanager
def _reading(rows: "LabelFile", *, quiet: bool) -> Iterator[Callable[[], object]]:
    """Show on stderr how far a file is read."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=quiet, transient=True) as shown:
        task = shown.add_task("rows", total=rows.size)
        yield lambda: shown.update(task, completed=rows.done())


def _decide(what: str, given: dict[str, Any]) -> None:
    names = ("use_case", "project", "model_version", "prompt_version", "reason")
    asked = {name: given[name] for name in names if given[name] is not None}
    actor = person(given["by"])

    def ask(client: Client) -> Any:
        return client.post(f"/api/references/{what}", {**asked, "actor": actor})

    def do(desk: "ReferenceDesk") -> Any:
        return (desk.accept if what == "accept" else desk.freeze)(asked, by=actor)

    kept = _either(given["config"], given["data_dir"], given["api"], ask, do)
    if given["json"]:
        print_json(kept)
        return
    version = " ".join(kept[name] for name in ("model_version", "prompt_version") if kept[name]) or "(no version)"
    since, until = when(kept["since"]), when(kept["until"])
    say(f"{named(kept)}: the present is compared with {version}, {kept['calls']:,} calls from {since} to {until} UTC")


def _listed(config: Path | None, data_dir: Path | None, api: str | None) -> list[dict[str, Any]]:
    def ask(client: Client) -> Any:
        return client.get("/api/references")["versions"]

    def do(desk: "ReferenceDesk") -> Any:
        return desk.listed()

    return list(_either(config, data_dir, api, ask, do))


def _either(
    config: Path | None,
    data_dir: Path | None,
    api: str | None,
    ask: Callable[[Client], Any],
    do: Callable[["ReferenceDesk"], Any],
) -> Any:
    """Ask the running tocsin, or do it in the store while nothing runs."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    try:
        return ask(Client.of(settled, timeout_s=300.0))
    except Unreachable:
        if settled.api_is_given:
            raise
    from tocsin_alerts.plan import Plans
    from tocsin_console.at_rest import opened
    from tocsin_console.reference_desk import ReferenceDesk
    from tocsin_console.statements import statement

    def now() -> datetime:
        return datetime.now(UTC)

    with opened(settled, now=now()) as store:

        def clock() -> datetime:
            seen = store.rows(statement("last_hour"))[0]
            last: datetime = seen["last_hour"]
            return last + timedelta(hours=1) if settled.clock == "data" and seen["hours"] else now()

        return plain(
            do(ReferenceDesk(store, clock=clock, wall=now, calendar=Plans.load(settled.use_cases_dir).calendar))
        )
