"""The verbs of outcomes: one by hand, a file of them, and what contradicts itself."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tocsin_console.cli.label_report import describe, document, progress_of, writing
from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, connect, person, settle
from tocsin_console.cli.output import print_json, print_table, say, when
from tocsin_console.client import Client
from tocsin_console.errors import FINDING, UsageProblem
from tocsin_console.variables import INGEST_KEY

if TYPE_CHECKING:
    from tocsin_console.labels.loading import Post

_TIMEOUT_S = 300.0

Column = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="The column with it, where its name does not say so.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(help="What turned out to be true of calls.", no_args_is_help=True)
    verbs.command("add")(add)
    verbs.command("load")(load)
    verbs.command("contradictory")(contradictory)
    app.add_typer(verbs, name="outcomes")


def add(
    handle: Annotated[str, typer.Argument(help="The call's handle, t1.…")],
    *,
    label: Annotated[str | None, typer.Option(help="What the right answer was.")] = None,
    score: Annotated[float | None, typer.Option(min=0, max=1, help="0 (worthless) to 1 (right).")] = None,
    correct: Annotated[bool | None, typer.Option("--correct/--wrong", help="Whether the answer was right.")] = None,
    kind: Annotated[str, typer.Option(help="ground_truth, review, feedback, judge or support.")] = "review",
    minutes: Annotated[float | None, typer.Option(min=0, help="Human time that it cost.")] = None,
    comment: Annotated[str, typer.Option(help="What else to know.")] = "",
    project: Annotated[str, typer.Option("--project", help="The call's project.")] = "default",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Say what turned out to be true of one call."""
    if label is None and score is None and correct is None:
        raise UsageProblem("expected --label, --score, --correct or --wrong, got none")
    said = {"label": label, "score": score, "correct": correct, "minutes": minutes}
    outcome = {
        "handle": handle,
        "kind": kind,
        "source": "console",
        "author": person(by),
        "comment": comment,
        **({} if project == "default" else {"project": project}),
        **{name: value for name, value in said.items() if value is not None},
    }
    answer = connect(config, data_dir, api).post("/api/outcomes", {"outcomes": [outcome]})
    if json:
        print_json(answer)
    elif answer["accepted"]:
        say("recorded")
    if answer["rejected"]:
        if not json:
            say("\n".join(answer["errors"]))
        raise typer.Exit(FINDING)


def load(
    file: Annotated[Path, typer.Argument(help="CSV with a first line of names, or Parquet.")],
    *,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column says what; may come again.")
    ] = None,
    handle: Column = None,
    key: Column = None,
    response_id: Column = None,
    call_id: Column = None,
    label: Column = None,
    use_case: Annotated[str, typer.Option("--use-case", help="Of keys in rows that name none.")] = "",
    kind: Annotated[
        str, typer.Option(help="Of rows that name none.", show_default="ground_truth; feedback of thumbs")
    ] = "",
    source: Annotated[str, typer.Option(help="Who says so, in rows that name nobody.", show_default="labels")] = "",
    project: Annotated[str, typer.Option("--project", help="The calls' project.")] = "default",
    form: Annotated[
        Literal["csv", "parquet"] | None,
        typer.Option("--format", help="What the file is.", show_default="its first bytes"),
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Of a CSV file.", show_default="as in its first line")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of it, and record nothing.")
    ] = False,
    collector: Annotated[
        str | None,
        typer.Option(
            "--collector",
            help="Send to this collector, as http://host:4317, where the API is an evaluator's or a console's;"
            " with the key of TOCSIN_KEY.",
            show_default="collector.address, else the API",
        ),
    ] = None,
    findings: Annotated[
        Path | None, typer.Option("--findings", help="Write every row that did not simply match into this CSV file.")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Record a file of labels, scores, verdicts or feedback, and say what became of each row.

    A row names its call by handle, by your own key, by the provider's response id or by the call's id, and says label, value,
    score, correct, thumb, minutes or comment; also kind, source, use_case, observed_at, author, outcome_id. Loading a file
    again changes nothing. Exits 1 when rows are malformed or contradict what was said before.
    """
    from tocsin_console.labels.columns import match
    from tocsin_console.labels.files import opened
    from tocsin_console.labels.loading import Loader

    source_file = opened(file, form=form, delimiter=delimiter)
    by_option = {"handle": handle, "key": key, "response_id": response_id, "call_id": call_id, "label": label}
    columns = match(source_file.names, {**_pairs(mapped or []), **{k: v for k, v in by_option.items() if v}})
    settled = settle(config=config, data_dir=data_dir, api=api)
    client = Client.of(settled, timeout_s=_TIMEOUT_S)

    with (
        _posting(client, project, dry_run=dry_run, collector=collector or settled.collector_address) as post,
        writing(findings) as tell,
        progress_of(source_file, quiet=json) as progress,
    ):
        loader = Loader(
            post,
            columns=columns,
            given={"kind": kind, "source": source, "use_case": use_case},
            project=project,
            dry_run=dry_run,
            tell=tell,
        )
        report = loader.load(source_file, progress=progress)
    if json:
        print_json({"file": str(file), "dry_run": dry_run, **document(report, columns)})
    else:
        describe(report, columns, dry_run=dry_run)
    if report.malformed or report.contradictory:
        raise typer.Exit(FINDING)


def contradictory(
    *,
    use_case: Annotated[str, typer.Option("--use-case", help="Only of this one.")] = "",
    project: Annotated[str, typer.Option("--project", help="Only of this one.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """List calls of which outcomes of one kind say different things: all are kept, the last word counts. Exits 1 when there are any."""
    asked: dict[str, str | int] = {"use_case": use_case, "project": project, "limit": limit}
    found = connect(config, data_dir, api).get("/api/outcomes/contradictory", asked)["calls"]
    if json:
        print_json(found)
    else:
        columns = ("use case", "call", "kind", "said", "by", "outcomes", "last")
        print_table(columns, [_contradictory(each) for each in found], empty="no outcomes contradict each other")
    if found:
        raise typer.Exit(FINDING)


def _contradictory(each: dict[str, Any]) -> tuple[Any, ...]:
    verdicts = ["right" if verdict else "wrong" for verdict in each["verdicts"]]
    claims = (
        each["labels"] if len(each["labels"]) > 1 else each["true_values"] if len(each["true_values"]) > 1 else verdicts
    )
    named = each["use_case"] if each["project"] == "default" else f"{each['project']}/{each['use_case']}"
    return (
        named,
        each["call_id"],
        each["kind"],
        sorted(map(str, claims)),
        sorted(each["sources"]),
        each["outcomes"],
        when(each["last_observed_at"]),
    )


def _pairs(mapped: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for each in mapped:
        field, equals, column = each.partition("=")
        if not (field and equals and column):
            raise UsageProblem(f"expected --map FIELD=COLUMN, as in --map label=Category, got {each!r}")
        pairs[field.strip()] = column
    return pairs


@contextmanager
def _posting(client: Client, project: str, *, dry_run: bool, collector: str | None) -> "Iterator[Post]":
    """Have outcomes looked up where the store is, and recorded there or by a collector elsewhere."""

    def ask(outcomes: Sequence[Mapping[str, Any]], *, only_look: bool) -> list[dict[str, Any]]:
        said = {"outcomes": list(outcomes), "project": project, "dry_run": only_look}
        rows: list[dict[str, Any]] = client.post("/api/outcomes/load", said)["rows"]
        return rows

    if collector is None or dry_run:
        yield lambda outcomes: ask(outcomes, only_look=dry_run)
        return
    from tocsin_console.labels.sending import sending

    with sending(collector, key=os.environ.get(INGEST_KEY, "")) as send:

        def post(outcomes: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
            rows = ask(outcomes, only_look=True)
            send([each for each, row in zip(outcomes, rows, strict=True) if row.get("known") is False])
            return rows

        yield post
