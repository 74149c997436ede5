"""Folders of picture files in zip and tar archives, one folder a class.

    [any folders/] [train|validation|test/] class/ [any folders/] picture.jpg

A class folder belongs to the class of that name; blanks at its ends, case and the Unicode form of
its letters do not count.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lookbook.datasets.archives import (
    MAX_PICTURE_BYTES,
    is_archive,
    is_picture,
    list_members,
    read_members,
)
from lookbook.datasets.cards import Card, ImagesReader
from lookbook.foundation.errors import LookbookError
from lookbook.pictures.batch import Batch, Fault
from lookbook.readers.reading import BATCH, BATCH_BYTES, Reading, index_of

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}

NOT_A_NAME = "not a picture's name"
NO_CLASS = "in no class folder"
OTHER_CLASS = "in a folder that is no class of the card"


class Place(NamedTuple):
    """Where a picture stands: its class folder as written, and its published split or ''."""

    folder: str
    published: str


def read(card: Card, folder: Path) -> Reading:
    """Return the pictures of all archives in `folder`, in the archives' order."""
    reader = card.reader
    assert isinstance(reader, ImagesReader)
    archives = sorted(path for path in folder.iterdir() if is_archive(path.name))
    names = {path: [member.name for member in list_members(path)] for path in archives}
    places = arrange([name for listed in names.values() for name in listed])
    labels = {class_key(name): label for label, name in enumerate(card.classes)}
    order: dict[Path, list[str]] = {path: [] for path in archives}
    rows, others = [], []
    for path, listed in names.items():
        for name in listed:
            place = places.get(name)
            if place is None:
                others.append((name, NO_CLASS if is_picture(name) else NOT_A_NAME))
            elif class_key(place.folder) not in labels:
                others.append((name, OTHER_CLASS))
            else:
                order[path].append(name)
                rows.append((name, labels[class_key(place.folder)], place.published))
    if not rows:
        found = ", ".join(sorted({repr(place.folder) for place in places.values()}))
        raise LookbookError(
            f"Expected pictures in folders called {', '.join(map(repr, card.classes))}. Received: "
            f"the folders {found}. Rename the folders, or the classes on the card."
        )
    return Reading(
        index_of(*zip(*rows, strict=True)),
        _batches(order),
        others,
        channels=reader.channels,
        needs_jfif=reader.needs_jfif,
        max_unreadable=reader.max_unreadable,
        known_unreadable=reader.unreadable,
    )


def class_key(folder: str) -> str:
    """Return what is compared of a class's name."""
    return unicodedata.normalize("NFC", folder.strip()).casefold()


def arrange(names: list[str]) -> dict[str, Place]:
    """Return the place of every picture among these files; other files are left out.

    Folders that all pictures share are passed over, and so is a level of split folders.

    Raises:
        LookbookError: If there are no class folders, or two whose names are the same but for
            blanks at their ends and case.
    """
    folders = {name: name.split("/")[:-1] for name in names if is_picture(name)}
    depth = 0
    while len({parts[depth] for parts in folders.values() if len(parts) > depth}) == 1:
        depth += 1
    level = {parts[depth] for parts in folders.values() if len(parts) > depth}
    has_splits = bool(level) and all(class_key(name) in SPLIT_FOLDERS for name in level)
    class_depth = depth + has_splits
    places = {
        name: Place(
            parts[class_depth], SPLIT_FOLDERS[class_key(parts[depth])] if has_splits else ""
        )
        for name, parts in folders.items()
        if len(parts) > class_depth
    }
    forms = {unicodedata.normalize("NFC", place.folder) for place in places.values()}
    _check_class_folders(sorted(forms), len(folders))
    return places


def _check_class_folders(folders: list[str], pictures: int) -> None:
    if len(folders) < 2:
        received = f"{pictures:,} pictures"
        received += f" in the one folder {folders[0]!r}" if folders else " and no such folders"
        raise LookbookError(
            "Expected pictures in one folder a class, at least two classes: cats/1.jpg, "
            f"dogs/2.jpg. Received: {received}. Sort the pictures into folders."
        )
    keys = Counter(map(class_key, folders))
    same = [folder for folder in folders if keys[class_key(folder)] > 1]
    if same:
        raise LookbookError(
            "Expected class folders of different names. Received: "
            f"{' and '.join(map(repr, same))}, the same but for blanks and case. Rename one."
        )


def _batches(names: dict[Path, list[str]]) -> Iterator[Batch]:
    batch, size = [], 0
    for path, wanted in names.items():
        for content in read_members(path, set(wanted), MAX_PICTURE_BYTES):
            batch.append(Fault(content) if isinstance(content, str) else content)
            size += len(content)
            if len(batch) == BATCH or size > BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
