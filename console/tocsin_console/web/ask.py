"""The SQL page: a person's question to the store, its answer as table, chart, CSV, JSON and Parquet; its address is the question."""

import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.reader import MAX_ROWS, MAX_TIME_S, Answer
from tocsin_console.web.charts import chart_route
from tocsin_console.web.page import Document, Page
from tocsin_wire import TocsinError

_SHOWN: Final = 500  # rows in the page; the twins have all
_DRAWN: Final = 2_000
_MOST_LINES: Final = 6
_EXAMPLES: Final = (
    ("Accuracy by day", "SELECT day, use_case, accuracy, labels FROM quality_daily ORDER BY day DESC LIMIT 60"),
    ("What it costs", "SELECT day, use_case, currency, known_cost, calls_unpriced FROM cost_daily ORDER BY day DESC LIMIT 60"),
    ("What moved most", "SELECT day, use_case, field, psi FROM drift_daily ORDER BY psi DESC LIMIT 20"),
    ("The last calls", "SELECT * FROM calls ORDER BY started_at DESC LIMIT 20"),
)  # fmt: skip
_TIME: Final = re.compile(r"^(Nullable\()?(Date|DateTime)")
_NUMBER: Final = re.compile(r"^(Nullable\()?(U?Int|Float|Decimal)")
_TEXT: Final = re.compile(r"^(Nullable\(|LowCardinality\()*(String|Enum)")


def ask_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        sql = request.query_params.get("q", "").strip()
        said: dict[str, Any] = {
            "sql": sql,
            "columns": [],
            "types": [],
            "rows": [],
            "error": "",
            "is_from_elsewhere": request.headers.get("sec-fetch-site") == "cross-site",
            "limits": {"rows": MAX_ROWS, "seconds": MAX_TIME_S},
        }
        if (
            sql and not said["is_from_elsewhere"]
        ):  # another site's link fills the form in, and a person presses the button
            try:
                answer = _ask(parts, sql)
            except TocsinError as error:
                if not request.url.path == "/sql":
                    raise
                said["error"] = str(error)
            else:
                said |= {"columns": answer.columns, "types": answer.types, "rows": answer.rows}
                said["chart"] = _kind(answer)
        return said

    def shown(request: Request) -> Document:
        said = dict(read(request))
        views = groupby(parts.book.ask("public_columns"), key=lambda each: str(each["view_name"]))
        return said | {
            "views": [{"name": name, "columns": list(columns)} for name, columns in views],
            "examples": [{"title": title, "sql": sql} for title, sql in _EXAMPLES],
            "count": len(said["rows"]),
            "rows": list(said["rows"])[:_SHOWN] if request.url.path == "/sql" else said["rows"],
            "chart": said.get("chart"),
        }

    return [Page(path="/sql", section="sql", template="ask.html.j2", read=shown, rows=_rows)]


def ask_routes(parts: Parts) -> list[Route]:
    """List what the page loads: the chart of an answer, and the answer as Parquet."""

    def figure(request: Request) -> Mapping[str, Any] | None:
        return _figure(_ask(parts, _question(request)))

    def parquet(request: Request) -> Response:
        return Response(
            as_parquet(_ask(parts, _question(request))),
            media_type="application/vnd.apache.parquet",
            headers={"content-disposition": 'attachment; filename="tocsin-sql.parquet"'},
        )

    return [chart_route("/charts/sql.svg", figure, parts.figures), Route("/sql.parquet", parquet)]


def as_parquet(answer: Answer) -> bytes:
    """Write an answer as Apache Parquet: numbers, flags and texts as such, everything else as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*answer.rows, strict=True)) if answer.rows else [()] * len(answer.columns)
    arrays = []
    for kind, values in zip(answer.types, columns, strict=True):
        try:
            arrays.append(pa.array(values, type=pa.float64() if "Float" in kind or "Decimal" in kind else None))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            arrays.append(pa.array([None if value is None else str(value) for value in values], type=pa.string()))
    written = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=_names(answer.columns)), written)
    return written.getvalue()


def _ask(parts: Parts, sql: str) -> Answer:
    answer: Answer = parts.news.kept(f"sql {sql}", lambda: parts.reader.ask(sql))
    return answer


def _question(request: Request) -> str:
    if not (sql := request.query_params.get("q", "").strip()):
        raise UsageProblem("expected a statement as q=SELECT …")
    return sql


def _names(columns: Sequence[str]) -> list[str]:
    """Make names that are there once: SQL gives two columns one name without a word."""
    seen: dict[str, int] = {}
    made = []
    for name in columns:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return made


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    names = _names(document["columns"])
    return [dict(zip(names, row, strict=True)) for row in document["rows"]]


def _kind(answer: Answer) -> str | None:
    figure = _figure(answer)
    return str(figure["title"]) if figure else None


def _figure(answer: Answer) -> dict[str, Any] | None:
    """Draw numbers over the first column, if that is a time or a name; one text beside a time tells lines apart."""
    numbers = [place for place, kind in enumerate(answer.types) if _NUMBER.match(kind)][:_MOST_LINES]
    if len(answer.rows) < 2 or not numbers or 0 in numbers:
        return None
    rows, names = answer.rows[:_DRAWN], answer.columns
    if _TIME.match(answer.types[0]):
        texts = [place for place, kind in enumerate(answer.types) if _TEXT.match(kind)]
        by = texts[0] if texts else None
        shown = numbers[:1] if by is not None else numbers
        points = [
            {
                "at": _instant(row[0]),
                "value": _float(row[place]),
                "by": str(row[by])[:80] if by is not None else names[place],
            }
            for row in rows
            for place in shown
        ]
        points = sorted((point for point in points if point["at"]), key=lambda point: (point["by"], point["at"]))
        told = ", ".join(names[place] for place in shown)
        return (
            {"type": "series", "title": f"{told} over {names[0]}", "format": "~s", "rows": points} if points else None
        )
    if _TEXT.match(answer.types[0]) and len(rows) <= 40:
        bars = [
            {"name": str(row[0])[:80], "value": _float(row[place]), "by": names[place]}
            for row in rows
            for place in numbers
        ]
        told = ", ".join(names[place] for place in numbers)
        return {"type": "bars", "title": f"{told} by {names[0]}", "format": "~s", "rows": bars}
    return None


def _instant(said: Any) -> str:
    try:
        return datetime.fromisoformat(str(said)).isoformat() + "Z"
    except ValueError:
        return ""


def _float(said: Any) -> float | None:
    try:
        return float(said)
    except (TypeError, ValueError):
        return None
