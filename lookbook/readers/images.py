"""Folders of picture files in zip and tar archives, one folder a class.

    [any folders/] [train|validation|test/] class/ [any folders/] picture.jpg

A class folder belongs to the class of that name; blanks at its ends and case do not count.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from lookbook.archives import Member, is_archive, list_members, read_members
from lookbook.cards import Card
from lookbook.errors import LookbookError
from lookbook.readers.reading import BATCH, BATCH_BYTES, Batch, Fault, Reading, index_of

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp")
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
MAX_PICTURE_BYTES = 2**28

NOT_A_NAME = "not a picture's name"
NO_CLASS = "in no class folder"
OTHER_CLASS = "in a folder that is no class of the card"
TOO_LARGE = f"file over {MAX_PICTURE_BYTES:,} bytes"


class Place(NamedTuple):
    """Where a picture stands: its class folder as written, and its published split or ''."""

    folder: str
    published: str


def read(card: Card, folder: Path) -> Reading:
    """Return the pictures of all archives in `folder`, in the archives' order."""
    archives = sorted(path for path in folder.iterdir() if is_archive(path.name))
    members = {path: list_members(path) for path in archives}
    names = [member.name for listed in members.values() for member in listed]
    places = arrange(names)
    labels = {class_key(name): label for label, name in enumerate(card.classes)}
    wanted, others = {}, []
    for path, listed in members.items():
        wanted[path] = []
        for member in listed:
            place = places.get(member.name)
            if place is None:
                reason = NO_CLASS if is_picture(member.name) else NOT_A_NAME
                others.append((member.name, reason))
            elif class_key(place.folder) not in labels:
                others.append((member.name, OTHER_CLASS))
            else:
                wanted[path].append(member)
    order = [member.name for listed in wanted.values() for member in listed]
    index = index_of(
        order,
        [labels[class_key(places[name].folder)] for name in order],
        [places[name].published for name in order],
    )
    return Reading(index, _batches(wanted), others)


def is_picture(name: str) -> bool:
    """Whether a file of this name should hold a picture."""
    path = PurePosixPath(name)
    by_macos = "__MACOSX" in path.parts or path.name.startswith("._")
    return path.suffix.lower() in SUFFIXES and not by_macos


def class_key(folder: str) -> str:
    """Return what is compared of a class's name."""
    return folder.strip().casefold()


def arrange(names: list[str]) -> dict[str, Place]:
    """Return the place of every picture among these files; other files are left out.

    Folders that all pictures share are passed over, and so is a level of split folders.

    Raises:
        LookbookError: If there are no class folders, or two whose names are the same but for
            blanks at their ends and case.
    """
    folders = {name: PurePosixPath(name).parts[:-1] for name in names if is_picture(name)}
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
    _check_class_folders(sorted({place.folder for place in places.values()}), len(folders))
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


def _batches(wanted: dict[Path, list[Member]]) -> Iterator[Batch]:
    batch, size = [], 0
    for path, members in wanted.items():
        honest = {member.name for member in members if member.bytes <= MAX_PICTURE_BYTES}
        contents = read_members(path, honest)
        for member in members:
            content = next(contents) if member.name in honest else Fault(TOO_LARGE)
            batch.append(Fault("damaged in the archive") if content is None else content)
            size += member.bytes if member.name in honest else 0
            if len(batch) == BATCH or size > BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
