"""Files that are either whole or absent, and the JSON that stages leave behind."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

METRIC_DIGITS = 6  # enough to tell two pictures in a million apart


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write a file or folder to, and move it there at the end.

    Whatever ends the block early leaves `target` as it was. A kill that nothing can catch leaves
    only the partial path, which the next call removes.

    Args:
        target: The file or folder to create or replace. Missing parents are created.

    Yields:
        A path in the same folder, with the same suffix, at which nothing exists yet.
    """
    partial = target.with_name(f".partial-{target.name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    remove(partial)
    try:
        yield partial
    except BaseException:
        remove(partial)
        raise
    if target.is_dir():
        remove(target)
    partial.replace(target)


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
    """Write a table without its row names, the same bytes on every system."""
    with replacing(path) as partial:
        table.to_csv(partial, index=False, lineterminator="\n")


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
