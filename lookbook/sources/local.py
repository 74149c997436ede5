"""A folder or an archive of the user's own.

An archive is copied. The pictures of a folder are packed into zip archives without compression, of
at most 64 MiB each (or one picture): where one ends depends on the pictures around, so that a new
picture changes one of them.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from lookbook.datasets.cards import Card, LocalSource
from lookbook.foundation.errors import LookbookError
from lookbook.own.files import Entry, check_unchanged, list_path, read_list, source_path

LEAST_BYTES, USUAL_BYTES, MOST_BYTES = 2**24, 2**25, 2**26
DATE = (1980, 1, 1, 0, 0, 0)  # of every packed file: the same bytes for the same pictures


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Put the accepted version of the user's pictures into `folder`.

    Raises:
        LookbookError: If the source is not there, or has changed since it was accepted.
    """
    assert isinstance(card.source, LocalSource)
    root = source_path(card)
    if not root.exists():
        raise LookbookError(
            f"Expected {card.source.path}, where {dataset} comes from. Received: no such file or "
            "folder on this machine. `dvc pull` brings the accepted version if somebody pushed it; "
            f"`lookbook add {dataset} NEW_PLACE --accept` takes it from elsewhere."
        )
    check_unchanged(dataset, card)
    if not root.is_dir():
        shutil.copyfile(root, folder / card.files[0].name)
        return
    accepted = list_path(dataset)
    shutil.copyfile(accepted, folder / card.files[0].name)
    for number, entries in enumerate(packs(read_list(accepted))):
        _pack(root, entries, folder / f"{dataset}-{number:05}.zip")


def packs(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut a list of files into runs, one an archive."""
    run: list[Entry] = []
    size = 0
    for entry in entries:
        if run and size + entry.bytes > MOST_BYTES:
            yield run
            run, size = [], 0
        run.append(entry)
        size += entry.bytes
        # Each file ends its run with a chance in proportion to its size, by its own hash.
        chance = int(entry.sha256[:16] or "f" * 16, 16) / 2**64
        if size >= LEAST_BYTES and chance < entry.bytes / (USUAL_BYTES - LEAST_BYTES):
            yield run
            run, size = [], 0
    if run:
        yield run


def _pack(root: Path, entries: list[Entry], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for entry in entries:
            content = (root / entry.file).read_bytes() if entry.sha256 else b""
            if entry.sha256 and hashlib.sha256(content).hexdigest() != entry.sha256:
                raise LookbookError(
                    f"Expected {entry.file} to stay as it is while it is read. Received: another "
                    "content. Run the command again when nobody works in that folder."
                )
            info = zipfile.ZipInfo(entry.file, DATE)
            info.create_system = 3  # the same on every system
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
