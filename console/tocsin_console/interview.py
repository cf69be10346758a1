"""The five questions: asked at a terminal, or read from a file and flags."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tocsin_alerts import documents
from tocsin_alerts.errors import DocumentError
from tocsin_alerts.plan import Plan, render_yaml
from tocsin_alerts.plan_form import FORM, Blank
from tocsin_console.errors import UsageProblem

if TYPE_CHECKING:
    from rich.console import Console

_KEYS = frozenset(blank.key for _, blanks in FORM for blank in blanks) | {"project"}


def read_answers(file: Path | None, said: Sequence[str]) -> dict[str, Any]:
    """Read answers by dotted key; what flags say wins over the file.

    Raises:
        UsageProblem: a key that no plan has, or a flag without ``=``.
        DocumentError: the file does not read.
    """
    given: dict[str, Any] = {}
    if file is not None:
        given.update(_flat(documents.read(file).data))
    for each in said:
        key, equals, value = each.partition("=")
        if not equals:
            raise UsageProblem(f"expected --set KEY=VALUE, got {each!r}")
        given[key.strip()] = value_of(value)
    given.pop("use_case", None)
    for key in given:
        if key not in _KEYS:
            raise UsageProblem(f"unknown answer {key!r}: {documents.suggest(key, sorted(_KEYS))}")
    return given


def value_of(text: str) -> Any:
    """Read one answer as YAML would, but a sentence stays a sentence."""
    try:
        value = documents.parse(text, path="answer").data
    except DocumentError:
        return text.strip()
    return text.strip() if isinstance(value, Mapping) else value


def write_plan(use_case: str, given: Mapping[str, Any]) -> tuple[str, Plan]:
    """Write the annotated plan and read it back.

    Raises:
        DocumentError: an answer does not fit.
    """
    text = render_yaml({"use_case": use_case, **given})
    return text, documents.parse(text, path=f"{use_case}.yaml").into(Plan)


def ask(use_case: str, *, console: "Console | None" = None, answers: TextIO | None = None) -> dict[str, Any]:
    """Ask at the terminal; an answer that does not fit is asked again.

    Args:
        use_case: Whose plan it is.
        console: Where to ask; the terminal.
        answers: Where answers come from; the terminal.
    """
    from rich.console import Console
    from rich.prompt import Prompt

    console = console or Console()
    console.print(f"The plan of {use_case}. Enter alone leaves a question open.", markup=False)
    given: dict[str, Any] = {}
    for title, blanks in FORM:
        console.print(f"\n{title}", markup=False, style="bold")
        for blank in blanks:
            while True:
                words = Prompt.ask(
                    f"  {_prompt(blank)}", console=console, default="", show_default=False, stream=answers
                )
                if not words.strip():
                    break
                try:
                    write_plan(use_case, {**given, blank.key: value_of(words)})
                except DocumentError as error:
                    console.print(f"    {error.findings[0].message}", markup=False)
                else:
                    given[blank.key] = value_of(words)
                    break
    return given


def _prompt(blank: Blank) -> str:
    example = blank.example.replace("[", r"\[")  # rich reads [words] as markup
    comment = f", {blank.comment}" if blank.comment else ""
    return f"{blank.prompt} (such as {example}{comment})"


def _flat(data: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise UsageProblem("expected answers as KEY: VALUE lines")
    return dict(_items(data, prefix))


def _items(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _items(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value
