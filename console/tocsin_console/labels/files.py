"""Rows of a CSV or a Parquet file, one after the other, however many there are."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from tocsin_console.errors import UsageProblem

_PIECE: Final = 8_192  # rows of a Parquet file in memory at once
_MOST_IN_A_CELL: Final = 1 << 20  # characters
_SNIFFED: Final = 64 * 1024

Format = Literal["csv", "parquet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, or why it is none."""

    line: int  # of a CSV file, where it begins; of a Parquet file its row, from 1
    cells: Sequence[Any] = ()
    problem: str = ""


class LabelFile(Protocol):
    """A file of rows."""

    names: Sequence[str]
    size: int  # what it comes to in the end, in bytes or rows

    def rows(self) -> Iterator[Row]:
        """Read the rows."""
        ...

    def done(self) -> int:
        """Say how far that has come, of `size`."""
        ...


def opened(path: Path, *, form: Format | None = None, delimiter: str | None = None) -> LabelFile:
    """Open a file: Parquet by its first bytes, else CSV.

    Raises:
        UsageProblem: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
    except OSError as error:
        raise UsageProblem(f"expected a file of labels at {path}, but {error.strerror}") from error
    return (
        ParquetFile(path) if (form or ("parquet" if is_parquet else "csv")) == "parquet" else CsvFile(path, delimiter)
    )


@dataclass(slots=True)
class CsvFile:
    """Commas, semicolons, tabs or bars; the first line names the columns."""

    path: Path
    delimiter: str | None = None
    names: Sequence[str] = ()
    size: int = 0
    _raw: BufferedReader | None = None

    def __post_init__(self) -> None:
        self.size = self.path.stat().st_size
        with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            beginning = file.readline(_SNIFFED)
        if self.delimiter is None:
            self.delimiter = max(",;\t|", key=beginning.count)
        csv.field_size_limit(max(csv.field_size_limit(), _MOST_IN_A_CELL))
        self.names = tuple(next((row.cells for row in self._read() if not row.problem), ()))
        if not self.names:
            raise UsageProblem(f"expected a first line with the columns' names in {self.path}, got nothing")

    def rows(self) -> Iterator[Row]:
        """Read the rows after the first."""
        wanted = len(self.names)
        is_first = True
        for row in self._read():
            if is_first and not row.problem:
                is_first = False
            elif not row.problem and len(row.cells) != wanted:
                found = len(row.cells)
                more = ": quote cells that hold the delimiter" if found > wanted else ""
                yield Row(line=row.line, problem=f"expected {wanted} cells as in the first line, got {found}{more}")
            else:
                yield row

    def done(self) -> int:
        """Say how many bytes were read."""
        return self.size if self._raw is None or self._raw.closed else self._raw.tell()

    def _read(self) -> Iterator[Row]:
        # Bytes that are no UTF-8 become lone surrogates, which their own row is refused for, and no other.
        with (
            self.path.open("rb") as raw,
            io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
        ):
            self._raw = raw
            reader = csv.reader(file, delimiter=self.delimiter or ",", strict=True)
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(line=line, problem=f"expected CSV, but {error}")
                    continue
                if any(cells):
                    yield Row(line=line, cells=cells)


@dataclass(slots=True)
class ParquetFile:
    """Columns of plain values; nested ones are read and refused cell by cell where they are used."""

    path: Path
    names: Sequence[str] = ()
    size: int = 0
    _at: int = 0

    def __post_init__(self) -> None:
        with self._open() as file:
            self.names = tuple(file.schema_arrow.names)
            self.size = int(file.metadata.num_rows)

    def rows(self) -> Iterator[Row]:
        """Read the rows, a piece at a time."""
        self._at = 0
        with self._open() as file:
            for piece in file.iter_batches(batch_size=_PIECE):
                columns = [column.to_pylist() for column in piece.columns]
                for cells in zip(*columns, strict=True):
                    self._at += 1
                    yield Row(line=self._at, cells=cells)

    def done(self) -> int:
        """Say how many rows were read."""
        return self._at

    def _open(self) -> Any:
        try:
            from pyarrow import ArrowException, parquet
        except ImportError as error:
            raise UsageProblem(
                "expected pyarrow to read Parquet: pip install 'tocsin[server]', or save it as CSV"
            ) from error
        try:
            return parquet.ParquetFile(self.path)
        except (ArrowException, OSError) as error:
            raise UsageProblem(f"expected a Parquet file at {self.path}, but {error}") from error
