"""From a file's rows to recorded outcomes, a chunk at a time, and the report of what became of each."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tocsin_collector.correct.outcome_review import NEVER_CONTRADICTS
from tocsin_collector.correct.verdicts import Claim
from tocsin_collector.receive.outcomes import complete, named_by
from tocsin_console.errors import Unreachable, UsageProblem
from tocsin_console.labels.cells import outcome_fields
from tocsin_console.labels.columns import Columns
from tocsin_console.labels.files import LabelFile, Row
from tocsin_console.labels.memory import Memory
from tocsin_console.outcomes import outcome_of
from tocsin_wire import HandleError

_CHUNK_ROWS: Final = 20_000
_CHUNK_BYTES: Final = 6_000_000  # of JSON; the API takes 8 MiB
_PATIENCE_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0)  # between tries, while the collector restarts or has no room

Fate = Literal["malformed", "duplicate", "contradictory", "waiting"]
Post = Callable[[Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row that a person may want to look at."""

    line: int
    what: Fate
    reason: str


@dataclass(slots=True)
class Report:
    """What became of the rows: each is matched, waiting, duplicate or malformed; contradictory ones are recorded too."""

    rows: int = 0
    matched: int = 0  # its call is known
    waiting: int = 0  # recorded; joined when its call arrives
    duplicate: int = 0  # said before, in this file or an earlier one: nothing was recorded
    malformed: int = 0
    contradictory: int = 0  # of the matched and waiting, those that something said before speaks against
    recorded: int = 0
    findings: list[Finding] = field(default_factory=list)  # the first of each kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """A sound row."""

    line: int
    fields: Mapping[str, Any]
    kind: str
    named: str  # its call, as the row says it
    claim: Claim


class Loader:
    """Loads one file."""

    def __init__(
        self,
        post: Post,
        *,
        columns: Columns,
        given: Mapping[str, str],
        project: str,
        dry_run: bool = False,
        tell: Callable[[Finding], None] = lambda _: None,
        most_findings: int = 100,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare.

        Args:
            post: Has outcomes looked up and recorded; answers as `OutcomeDesk.load`.
            columns: Where each field stands.
            given: What holds for rows that do not say: kind, source, use_case.
            project: The calls' project.
            dry_run: Only look.
            tell: Told every finding; the report keeps the first of each kind.
            most_findings: How many of each kind it keeps.
            pause: Waits between tries.
        """
        self._post = post
        self._columns = columns
        self._given = given
        self._project = project
        self._dry_run = dry_run
        self._tell = tell
        self._most = most_findings
        self._pause = pause
        self._kept: dict[str, int] = {}
        self.report = Report()

    def load(self, file: LabelFile, *, progress: Callable[[Report], None] = lambda _: None) -> Report:
        """Read, look up and record all rows.

        Raises:
            Unreachable: nothing answers; what was recorded stays, and loading the file again doubles nothing.
        """
        with Memory() as memory:
            for chunk in self._chunks(file.rows(), memory):
                self._send(chunk, memory)
                progress(self.report)
        return self.report

    def _chunks(self, rows: Iterator[Row], memory: Memory) -> Iterator[list[_Said]]:
        chunk: list[_Said] = []
        size = 0
        for row in rows:
            self.report.rows += 1
            said = self._read(row, memory)
            if said is None:
                continue
            length = len(json.dumps(said.fields)) + 2
            if length > _CHUNK_BYTES:
                self._find(row.line, "malformed", f"expected a row of less than {_CHUNK_BYTES} bytes, got {length}")
                continue
            if len(chunk) >= _CHUNK_ROWS or size + length > _CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
            chunk.append(said)
            size += length
        if chunk:
            yield chunk

    def _read(self, row: Row, memory: Memory) -> _Said | None:
        if row.problem:
            self._find(row.line, "malformed", row.problem)
            return None
        try:
            fields = outcome_fields(row.cells, self._columns, self._given)
            outcome = complete(outcome_of(fields), project=self._project, now_ns=1)
        except (HandleError, UsageProblem, ValueError) as error:
            self._find(row.line, "malformed", str(error))
            return None
        before = memory.line_of(outcome.outcome_id, row.line)
        if before is not None:
            self._find(row.line, "duplicate", f"line {before} says the same")
            return None
        call = outcome.call
        return _Said(
            line=row.line,
            fields=fields,
            kind=outcome.kind,
            named=named_by(call),
            claim=Claim.of(outcome, call.label),
        )

    def _send(self, chunk: Sequence[_Said], memory: Memory) -> None:
        answers = self._try([said.fields for said in chunk])
        for said, answer in zip(chunk, answers, strict=True):
            self._count(said, answer, memory)

    def _try(self, fields: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        for pause_s in _PATIENCE_S:
            try:
                return self._post(fields)
            except Unreachable:
                self._pause(pause_s)
        try:
            return self._post(fields)
        except Unreachable as error:
            raise Unreachable(
                f"{error}. {self.report.recorded:,} outcomes were recorded so far: load the file again, nothing is doubled"
            ) from error

    def _count(self, said: _Said, answer: Mapping[str, Any], memory: Memory) -> None:
        if "problem" in answer:
            self._find(said.line, "malformed", str(answer["problem"]))
            return
        if answer["known"]:
            self._find(said.line, "duplicate", "it was recorded before")
            return
        self.report.recorded += not self._dry_run
        if answer["call"] is None:
            self._find(said.line, "waiting", "no call of this name is known yet: it is joined when the call arrives")
        else:
            self.report.matched += 1
        if said.kind == NEVER_CONTRADICTS:
            return
        verdict = said.claim.verdict if answer["verdict"] is None else bool(answer["verdict"])
        claim = Claim(label=said.claim.label, value=said.claim.value, verdict=verdict)
        other = memory.contradicted(answer["call"] or said.named, said.kind, claim, said.line)
        against = f"{other[1].words()}, which line {other[0]} says" if other else answer["contradicted"]
        if against:
            self._find(said.line, "contradictory", f"{claim.words()} against {against}, of one call ({said.kind})")

    def _find(self, line: int, what: Fate, reason: str) -> None:
        setattr(self.report, what, getattr(self.report, what) + 1)
        finding = Finding(line=line, what=what, reason=reason)
        self._tell(finding)
        if self._kept.get(what, 0) < self._most:
            self._kept[what] = self._kept.get(what, 0) + 1
            self.report.findings.append(finding)
