"""What was answered as tables: CSV, lines of JSON, or Parquet; with more rows at another time.

A table is written beside the one that it replaces, so that no kill and no full disk loses a row.
"""

import contextlib
import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing
from lookbook.foundation.names import from_cell, in_cell
from lookbook.inference.card import Card
from lookbook.inference.classifier import Prediction
from lookbook.pictures.decoding import Fault

SUFFIXES = (".csv", ".jsonl", ".parquet")
DIGITS = 6  # of figures, after the point
HASH_DIGITS = 12  # of a hash, in rows
ROWS = 4096  # of a Parquet file that are held at a time

Row = dict[str, Any]


class Stamp(NamedTuple):
    """What every row says of the model: hashes of it and its data, and the clone's commit."""

    model: str
    data: str
    revision: str


class Rows(Protocol):
    """Whatever rows are written to."""

    def write(self, row: Row) -> None: ...


def stamp_of(card: Card, revision: str) -> Stamp:
    """Return what rows say of a model."""
    hashes = card.model_sha256, card.data_sha256, revision
    return Stamp(*(text[:HASH_DIGITS] for text in hashes))


def columns_of(class_names: list[str]) -> list[str]:
    """Return the columns of a table, in their order."""
    probabilities = [f"p_{name}" for name in class_names]
    before = ["path", "answer", "probability", "in_question"]
    return [*before, *probabilities, "strangeness", "model", "data", "revision", "error"]


def as_text(name: str) -> str:
    """Return a name that any table holds: bytes that are no UTF-8 become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def row_of(name: str, said: Prediction | Fault, stamp: Stamp) -> Row:
    """Return a picture's row; what it lacks is None."""
    row: Row = {"path": as_text(name), **stamp._asdict()}
    if isinstance(said, Fault):
        return row | {"error": said.reason}
    shares = {f"p_{name}": round(share, DIGITS) for name, share in said.probabilities.items()}
    return row | {
        "answer": said.answer,
        "probability": round(said.probability, DIGITS),
        "in_question": ";".join(said.in_question),
        **shares,
        "strangeness": round(said.strangeness, DIGITS),
    }


class CsvRows:
    """Rows of CSV: UTF-8, one line each but for names with line breaks; no cell is a formula."""

    def __init__(self, file: BinaryIO, columns: list[str], *, header: bool = True):
        self.file, self.columns = file, columns
        self.line = io.StringIO(newline="")
        # Python quotes what is in the ends of its lines: here a carriage return, too.
        self.writer = csv.writer(self.line, lineterminator="\r\n")
        if header:
            self.write(dict(zip(columns, columns, strict=True)))

    def write(self, row: Row) -> None:
        self.line.seek(0)
        self.line.truncate()
        cells = (row.get(key) for key in self.columns)
        self.writer.writerow([in_cell(cell) if isinstance(cell, str) else cell for cell in cells])
        self.file.write(self.line.getvalue()[:-2].encode() + b"\n")


class JsonRows:
    """Rows of JSON: one object a line."""

    def __init__(self, file: BinaryIO, columns: list[str]):
        self.file, self.columns = file, columns

    def write(self, row: Row) -> None:
        text = json.dumps({key: row.get(key) for key in self.columns}, ensure_ascii=False)
        self.file.write(text.encode() + b"\n")


class ParquetRows:
    """Rows of Parquet, written some thousands at a time."""

    def __init__(self, path: Path, columns: list[str]):
        self.pyarrow = _pyarrow()
        kinds = {"probability": "float64", "strangeness": "float64"}
        schema = [
            (key, kinds.get(key, "float64" if key.startswith("p_") else "string"))
            for key in columns
        ]
        self.schema = self.pyarrow.schema(schema)
        self.writer = self.pyarrow.parquet.ParquetWriter(
            path, self.schema, write_page_checksum=True
        )
        self.held: list[Row] = []

    def write(self, row: Row) -> None:
        self.held.append(row)
        if len(self.held) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self.held:
            self.writer.write_table(self.pyarrow.Table.from_pylist(self.held, self.schema))
            self.held = []


def check_suffix(path: Path) -> None:
    """Raise a LookbookError unless rows can be written to a file of this name, and here."""
    if path.suffix.lower() not in SUFFIXES:
        raise LookbookError(
            f"Expected --output to end in {', '.join(SUFFIXES)}. Received: {path}. Rename it."
        )
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def known_paths(path: Path, columns: list[str], stamp: Stamp) -> set[str]:
    """Return the paths that a table has rows of; none if there is no such file.

    Raises:
        LookbookError: If it is no such table, or of another model.
    """
    if not path.exists():
        return set()
    known = set()
    try:
        for row in _old_rows(path, columns):
            if row["model"] != stamp.model:
                raise _other_model(path, row["model"], stamp)
            known.add(row["path"])
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise LookbookError(
            f"Expected {path} to be a table of `lookbook predict`, to which rows can be added. "
            f"Received: {error}. Name another file, or overwrite it with --force."
        ) from None
    return known


@contextlib.contextmanager
def adding_rows(path: Path, columns: list[str], *, keeps: bool) -> Iterator[Rows]:
    """Give what adds rows to a table, which takes its place when the block ends.

    Args:
        path: The table; made if it is not there.
        columns: See `columns_of`.
        keeps: Whether the rows that it has stay.
    """
    keeps = keeps and path.exists()
    with replacing(path) as partial:
        if path.suffix.lower() == ".parquet":
            rows = ParquetRows(partial, columns)
            with rows.writer:
                for row in _old_rows(path, columns) if keeps else ():
                    rows.write(row)
                yield rows
                rows.flush()
            return
        if keeps:
            shutil.copyfile(path, partial)
        with partial.open("ab+") as file:
            _end_line(file)
            is_csv = path.suffix.lower() == ".csv"
            yield CsvRows(file, columns, header=not keeps) if is_csv else JsonRows(file, columns)


def _end_line(file: BinaryIO) -> None:
    """End the last line of a file, whose end an editor may have cut off."""
    if file.seek(0, io.SEEK_END):
        file.seek(-1, io.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")


def _old_rows(path: Path, columns: list[str]) -> Iterator[Row]:
    """Yield a table's rows.

    Raises:
        LookbookError: If a column is missing or new.
        ValueError, KeyError, TypeError or csv.Error: If it is no table.
    """
    if path.suffix.lower() == ".parquet":
        yield from _old_parquet(path, columns)
        return
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".csv":
            lines = csv.reader(file, strict=True)  # else what is open takes in new rows
            _check_columns(path, next(lines, []), columns)
            for cells in lines:
                yield dict(zip(columns, map(from_cell, cells), strict=True))
        else:
            for line in file:
                row = json.loads(line)
                _check_columns(path, list(row), columns)
                yield row


def _old_parquet(path: Path, columns: list[str]) -> Iterator[Row]:
    pyarrow = _pyarrow()
    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            _check_columns(path, file.schema_arrow.names, columns)
            for batch in file.iter_batches(ROWS):
                yield from batch.to_pylist()
    except (OSError, pyarrow.ArrowException) as error:  # the former of damaged pages, too
        raise ValueError(str(error).partition("\n")[0]) from None


def _check_columns(path: Path, received: list[str], columns: list[str]) -> None:
    if received != columns:
        if {"path", "answer", "model"} <= set(received):
            raise LookbookError(
                f"Expected the rows of {path} to be of a model with the same classes. Received: "
                f"other columns. Name another file, or overwrite it with --force."
            )
        raise ValueError("other columns")


def _other_model(path: Path, received: object, stamp: Stamp) -> LookbookError:
    return LookbookError(
        f"Expected the rows of {path} to be of the model {stamp.model}. Received: rows of "
        f"{received}. Name another file, or overwrite it with --force."
    )


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise LookbookError(
            "Expected pyarrow, which writes Parquet. Received: it is not installed. Install it "
            "with `pip install 'lookbook[parquet]'`, or write .csv or .jsonl."
        ) from None
    return pyarrow
