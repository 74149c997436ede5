"""CSV tables of pixels, as Kaggle's MNIST-like sets: `label,pixel1,...,pixelN`, one row a picture.

A table stands in a zip archive or by itself. Pictures are grey and square.
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from lookbook.datasets.archives import open_member
from lookbook.datasets.cards import Card, CsvReader
from lookbook.foundation.errors import LookbookError
from lookbook.readers.reading import Reading, index_of

ROWS = 2048  # pictures parsed at a time
HEADER_ROWS = 1


def read(card: Card, folder: Path) -> Reading:
    """Return the pictures of the training table, then those of the test table if there is one."""
    reader = card.reader
    assert isinstance(reader, CsvReader)
    names = {"train": reader.train, "test": reader.test}
    tables = {split: name for split, name in names.items() if name}
    path = folder / card.files[0].name
    labels = {name: _labels(path, name, reader) for name in tables.values()}
    sources = [f"{name}:{row}" for name in labels for row in range(len(labels[name]))]
    published = [
        split if len(tables) > 1 else ""
        for split, name in tables.items()
        for _ in range(len(labels[name]))
    ]
    index = index_of(sources, np.concatenate(list(labels.values())), published)
    return Reading(index, _pictures(path, list(labels)), [], channels=1)


def _labels(path: Path, name: str, reader: CsvReader) -> np.ndarray:
    """Return the label of each row as an index into the card's classes."""
    with _opened(path, name) as file:
        table = _parsed(file, name, usecols=[0])
        column = next(table)
    if column.columns[0] != "label":
        raise _fault(name, 1, 1, "the column `label`", repr(column.columns[0]))
    values = _whole(column.to_numpy(), name, first_row=0)
    places = {value: place for place, value in enumerate(reader.labels)}
    known = np.isin(values[:, 0], reader.labels)
    if not known.all():
        row = int(np.argmin(known))
        wanted = f"one of the labels {', '.join(map(str, reader.labels))}"
        raise _fault(name, row + 1 + HEADER_ROWS, 1, wanted, str(values[row, 0]))
    if not len(values):
        raise _fault(name, 1, 1, "pictures below the header", "none")
    return np.array([places[value] for value in values[:, 0].tolist()], np.int32)


def _pictures(path: Path, names: list[str]) -> Iterator[np.ndarray]:
    for name in names:
        with _opened(path, name) as file:
            first_row = 0
            for rows in _parsed(file, name, chunksize=ROWS):
                side = _side(rows.columns, name)
                values = _whole(rows.to_numpy(), name, first_row)[:, 1:]
                outside = (values < 0) | (values > 255)
                if outside.any():
                    row, column = np.argwhere(outside)[0]
                    line = first_row + int(row) + 1 + HEADER_ROWS
                    received = str(values[row, column])
                    raise _fault(name, line, int(column) + 2, "a number of 0-255", received)
                yield values.astype(np.uint8).reshape(-1, side, side, 1)
                first_row += len(rows)


def _parsed(file: IO[bytes], name: str, **options: Any) -> Iterator[pd.DataFrame]:
    try:
        table = pd.read_csv(file, skip_blank_lines=False, **options)
        yield from [table] if isinstance(table, pd.DataFrame) else table
    except ValueError as error:  # of pandas: no header, lines of other lengths, other encodings
        reason = " ".join(str(error).split())
        raise LookbookError(
            f"Expected {name} to be a table `label,pixel1,...,pixelN` with as many values in each "
            f"line. Received: {reason}. Mend that line, or fetch the file again."
        ) from None


def _whole(values: np.ndarray, name: str, first_row: int) -> np.ndarray:
    """Return `values` as int64, or name the first that is no whole number."""
    if np.issubdtype(values.dtype, np.integer):
        return values
    numbers = pd.DataFrame(values).apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(numbers) | (numbers != np.floor(numbers))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        value = values[row, column]
        received = "nothing" if pd.isna(value) else ascii(getattr(value, "item", lambda: value)())
        line = first_row + int(row) + 1 + HEADER_ROWS
        raise _fault(name, line, int(column) + 1, "a whole number", received)
    return numbers.astype(np.int64)


def _side(columns: pd.Index, name: str) -> int:
    pixels = len(columns) - 1
    side = math.isqrt(pixels)
    if side * side != pixels or not pixels:
        received = f"{pixels} pixel columns"
        raise _fault(name, 1, len(columns), "a square number of pixel columns", received)
    wanted = [f"pixel{number + 1}" for number in range(pixels)]
    for number, (column, expected) in enumerate(zip(columns[1:], wanted, strict=True)):
        if column != expected:
            raise _fault(name, 1, number + 2, f"the column `{expected}`", repr(column))
    return side


def _opened(path: Path, name: str) -> AbstractContextManager[IO[bytes]]:
    return open_member(path, name) if path.suffix.lower() == ".zip" else path.open("rb")


def _fault(name: str, line: int, column: int, expected: str, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {expected} in {name}, line {line:,}, column {column}. Received: {received}. "
        "Mend the file, or fetch it again."
    )
