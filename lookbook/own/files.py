"""The user's own pictures: what is there now, what was accepted, and how the two differ.

A set of one's own has a card like any other, whose source is a folder or an archive on this
machine, or an address. Its list of files, with their hashes, is kept in data/own/<name>.csv; for a
folder, that list is the file whose hash stands on the card, and so stands for the whole folder.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from os import walk
from pathlib import Path
from typing import NamedTuple

from lookbook.datasets.archives import (
    MAX_PICTURE_BYTES,
    check_names,
    is_picture,
    list_members,
    read_members,
)
from lookbook.datasets.cards import Card, LocalSource
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing, sha256_of
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.places import cache_folder

OWN = Path("data/own")
SHOWN = 10  # names of each kind in a message


class Entry(NamedTuple):
    """A file of the set; of those that are no pictures only the name counts.

    Attributes:
        file: Name below the folder or in the archive, with `/` between folders.
        bytes: Size, 0 where it is no picture.
        sha256: Of its content, empty where it is no picture.
    """

    file: str
    bytes: int
    sha256: str


def list_path(dataset: str) -> Path:
    """Return where the accepted list of files is kept."""
    return OWN / f"{dataset}.csv"


def read_list(path: Path) -> list[Entry]:
    """Return an accepted list of files."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Entry(row["file"], int(row["bytes"]), row["sha256"]) for row in csv.DictReader(file)
        ]


def list_content(entries: list[Entry]) -> bytes:
    """Return a list of files as CSV: the same bytes for the same files."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([Entry._fields, *entries])
    return text.getvalue().encode()


def source_path(card: Card) -> Path:
    """Return the folder or archive of a card with a local source."""
    assert isinstance(card.source, LocalSource)
    return Path(card.source.path).expanduser()


def scan(path: Path, dataset: str) -> list[Entry]:
    """List the files in a folder or an archive as they are now, in the order of their names.

    Hashes of files in a folder are remembered in the user's cache with size and time of change.

    Raises:
        LookbookError: If a name could not be kept in an archive.
        OSError: If something cannot be read.
    """
    if not path.is_dir():
        return _scan_archive(path)
    names = check_names(sorted(_walk(path)), str(path))
    remembered = cache_folder(dataset) / "hashes.csv"
    known = _remembered(remembered)

    def entry(name: str) -> tuple[str, Entry]:
        if not is_picture(name):
            return "", Entry(name, 0, "")
        status = (path / name).stat()
        key = f"{path / name}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
        return key, Entry(name, status.st_size, known.get(key) or sha256_of(path / name))

    found = list(in_parallel(entry, names))
    with replacing(remembered) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        rows = ((key, entry.sha256) for key, entry in found)
        csv.writer(file, lineterminator="\n").writerows(rows)
    return [entry for _, entry in found]


def difference(old: list[Entry], new: list[Entry]) -> str | None:
    """Say which pictures were added, removed or changed; None if none was."""
    before, after = (
        {entry.file: entry.sha256 for entry in entries if entry.sha256} for entries in (old, new)
    )
    kinds = {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "changed": [name for name in after if before.get(name, after[name]) != after[name]],
    }
    parts = [f"{len(names):,} {kind} ({_first(names)})" for kind, names in kinds.items() if names]
    return ", ".join(parts) or None


def check_unchanged(dataset: str, card: Card) -> None:
    """Stop if the user's folder or archive is not what the card describes.

    Raises:
        LookbookError: Says which pictures were added, removed or changed, and how to accept that.
        FileNotFoundError: If there is no such folder or archive on this machine.
    """
    assert isinstance(card.source, LocalSource)
    path, listed = source_path(card), list_path(dataset)
    if not listed.is_file():
        raise LookbookError(
            f"Expected the list of the files of {dataset} in {listed}. Received: no such file. Run "
            "`git add data/own` and commit: DVC's temporary and queued runs copy what Git knows."
        )
    if path.is_dir():
        found = difference(read_list(listed), scan(path, dataset))
        if not found and sha256_of(listed) != card.files[0].sha256:
            found = f"another list of files in {listed}"
    else:
        same = sha256_of(path) == card.files[0].sha256
        found = None if same else difference(read_list(listed), scan(path, dataset))
        found = found or (None if same else "another archive of the same pictures")
    if found:
        raise LookbookError(
            f"Expected {dataset} in {card.source.path} to be as it was accepted. Received: {found}."
            f" To take the new version: lookbook add {dataset} --accept. To keep the old "
            "one, put the files back."
        )


def _walk(root: Path) -> Iterator[str]:
    """Yield the names of all files below a folder, links followed, none twice."""
    seen = set()

    def fail(error: OSError) -> None:
        raise error

    for folder, folders, files in walk(root, followlinks=True, onerror=fail):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link back to a folder above
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        for name in files:
            yield Path(folder, name).relative_to(root).as_posix()


def _scan_archive(path: Path) -> list[Entry]:
    members = list_members(path)
    names = [member.name for member in members]
    pictures = {name for name in names if is_picture(name)}
    contents = read_members(path, pictures, MAX_PICTURE_BYTES)
    entries = {name: Entry(name, 0, "") for name in names}
    for name in names:
        if name in pictures:
            content = next(contents)
            content = content.encode() if isinstance(content, str) else content
            entries[name] = Entry(name, len(content), hashlib.sha256(content).hexdigest())
    return [entries[name] for name in sorted(names)]


def _remembered(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file) if len(row) == 2}


def _first(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
