"""Files that are either whole or absent, and the JSON that stages leave behind."""

import contextlib
import csv
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lookbook.foundation.names import from_cell, in_cell

if TYPE_CHECKING:
    import pandas as pd

ABANDONED = 24 * 3600  # seconds after which a partial file is nobody's
SEAL_BYTES = 32  # of a SHA-256
METRIC_DIGITS = 6  # enough to tell two pictures in a million apart


@contextlib.contextmanager
def replacing(target: Path, *, shared: bool = False) -> Iterator[Path]:
    """Give a path beside `target` to write a file or folder to, and move it there at the end.

    Whatever ends the block early leaves `target` as it was. A kill that nothing can catch leaves
    only the partial path, which the next call removes.

    Args:
        target: The file or folder to create or replace. Missing parents are created.
        shared: Whether other processes may replace it at the same time: each has a partial path of
            its own then, and what a kill has left is removed after a day.

    Yields:
        A path in the same folder, with the same suffix, at which nothing exists yet.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".partial-{os.getpid() if shared else ''}{target.name}")
    if shared:
        forget_abandoned(target.parent)
    remove(partial)
    try:
        yield partial
    except BaseException:
        remove(partial)
        raise
    if target.is_dir():
        remove(target)
    partial.replace(target)


def forget_abandoned(folder: Path) -> None:
    """Remove partial files and folders that nobody has written to for a day."""
    for path in folder.glob(".partial-*"):
        with contextlib.suppress(FileNotFoundError):  # another process was quicker
            if time.time() - path.stat().st_mtime > ABANDONED:
                remove(path)


@contextlib.contextmanager
def sealing(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, which becomes `target` with its SHA-256 in front.

    Yields:
        The file, open for reading and writing.
    """
    with replacing(target) as partial, partial.open("w+b") as file:
        file.write(bytes(SEAL_BYTES))
        yield file
        file.seek(SEAL_BYTES)
        seal = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        file.write(seal)


@contextlib.contextmanager
def unsealing(path: Path) -> Iterator[BinaryIO]:
    """Give a file that `sealing` wrote, at the place where what was written begins.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it does not hold what was written.
    """
    with path.open("rb") as file:
        seal = file.read(SEAL_BYTES)
        if hashlib.file_digest(file, "sha256").digest() != seal:
            raise ValueError("it holds something else than was written")
        file.seek(SEAL_BYTES)
        yield file


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    return _digest(path, "sha256")


def md5_of(path: Path) -> str:
    """Return the MD5 of a file as 32 hex digits, by which DVC knows it."""
    return _digest(path, "md5")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, with line ends as they are."""
    with replacing(path) as partial:
        partial.write_bytes(text.encode())


def write_csv(path: Path, table: "pd.DataFrame") -> None:
    """Write a table without its row names, the same bytes on every system.

    Text that a spreadsheet would compute gets a mark in front, which `read_csv` takes away.
    """
    table = table.copy()
    has_return = False  # within a text, which csv quotes only where lines end in it
    for name in table.select_dtypes(exclude=["number", "bool"]):
        table[name] = table[name].map(in_cell, na_action="ignore")
        has_return = has_return or any("\r" in str(cell) for cell in table[name])
    quoting = csv.QUOTE_NONNUMERIC if has_return else csv.QUOTE_MINIMAL
    with replacing(path) as partial:
        table.to_csv(partial, index=False, lineterminator="\n", quoting=quoting)


def read_csv(path: Path) -> "pd.DataFrame":
    """Return a table that `write_csv` wrote, all of it text.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is no table in UTF-8.
    """
    import pandas as pd

    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    return table.map(from_cell)


def write_json(path: Path, content: dict) -> None:
    """Write `content` as indented UTF-8 JSON, the same bytes for the same content."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_metrics(path: Path, metrics: dict) -> None:
    """Write a stage's figures for `dvc metrics`, with floats rounded to `METRIC_DIGITS` places."""
    write_json(path, _rounded(metrics))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return round(value, METRIC_DIGITS) if isinstance(value, float) else value
