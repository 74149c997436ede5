"""Pictures wherever they lie: files, folders of any depth, zip and tar archives, lists of names.

They are found one at a time, so that a million take no more memory than ten. Nothing is ever
unpacked to the disk, and what cannot be read is found as a fault, in its place.
"""

import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lookbook.datasets.archives import is_archive, is_picture, tar_members
from lookbook.foundation.damage import DAMAGE
from lookbook.foundation.errors import LookbookError
from lookbook.inference.classifier import MOST_BYTES, read_picture
from lookbook.pictures.decoding import Fault, UnreadableError

TOO_LARGE = Fault(f"over {MOST_BYTES:,} bytes")
CHUNK = 2**16  # bytes of names read at a time


class Zipped(NamedTuple):
    """A member of a zip archive, which stays open as long as somebody wants one."""

    archive: zipfile.ZipFile
    member: zipfile.ZipInfo


class Found(NamedTuple):
    """A picture that is to be looked at.

    Attributes:
        name: Its path as given, or `archive::member`.
        place: What was given, under which it was found.
        source: Where its content is, the content itself, or why there is none.
    """

    name: str
    place: str
    source: Path | Zipped | bytes | Fault


def content_of(found: Found) -> bytes:
    """Return a picture's content. Safe to call from several threads.

    Raises:
        UnreadableError: If there is none.
    """
    source = found.source
    if isinstance(source, Fault):
        raise UnreadableError(source.reason)
    if isinstance(source, Path):
        return read_picture(source)
    return source if isinstance(source, bytes) else _unzipped(source)


@dataclass
class Search:
    """What is found at some places, in their order; folders in the order of their names.

    Attributes:
        places: Files, folders and archives.
        left_out: How many files of folders and archives are no pictures, by their names.
    """

    places: Iterable[str]
    left_out: int = 0

    def __iter__(self) -> Iterator[Found]:
        for place in self.places:
            if os.path.isdir(place):  # noqa: PTH112  # Path raises for names that cannot be
                yield from self._in_folder(place)
            elif is_archive(place) and os.path.isfile(place):  # noqa: PTH113
                yield from self._in_archive(place)
            else:
                yield Found(place, place, Path(place))

    def count(self) -> int | None:
        """Return how many pictures there are; None if that cannot be known beforehand."""
        if not isinstance(self.places, Sequence):
            return None
        if any(is_archive(place) for place in self.places):
            return None
        return sum(1 for _ in Search(self.places))

    def _in_folder(self, folder: str) -> Iterator[Found]:
        waiting = [(folder, True)]
        while waiting:
            path, is_folder = waiting.pop()
            if is_folder:
                try:
                    waiting += reversed(_listed(path))
                except OSError as error:
                    yield Found(path, folder, Fault(error.strerror or str(error)))
            elif is_picture(path):
                yield Found(path, folder, Path(path))
            else:
                self.left_out += 1

    def _in_archive(self, place: str) -> Iterator[Found]:
        members = _zipped if zipfile.is_zipfile(place) else _tarred
        try:
            for member, source in members(Path(place)):
                if is_picture(member) and not is_hidden(member):
                    yield Found(f"{place}::{member}", place, source)
                else:
                    self.left_out += 1
        except (*DAMAGE, LookbookError):
            yield Found(place, place, Fault("an archive that is damaged, or none"))


def is_hidden(name: str) -> bool:
    """Whether a member of an archive lies in a hidden folder, or is hidden itself."""
    return any(
        part.startswith(".") and part.strip(".") for part in name.replace("\\", "/").split("/")
    )


def names_in(file: BinaryIO, separator: bytes) -> Iterator[str]:
    """Yield the names in a file, such as standard input, as they come."""
    rest = b""
    while chunk := file.read1(CHUNK) if hasattr(file, "read1") else file.read(CHUNK):
        *names, rest = (rest + chunk).split(separator)
        yield from (os.fsdecode(name) for name in names if name)
    if rest:
        yield os.fsdecode(rest)


def _listed(folder: str) -> list[tuple[str, bool]]:
    """Return what is in a folder, by name, and which are folders.

    Hidden ones are skipped, and links to folders, which may go round in circles.
    """
    with os.scandir(folder) as entries:
        shown = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    return [
        (entry.path, entry.is_dir(follow_symlinks=False))
        for entry in shown
        if not (entry.is_symlink() and entry.is_dir())
    ]


def _zipped(path: Path) -> Iterator[tuple[str, Zipped | Fault]]:
    archive = zipfile.ZipFile(path)  # closed with the last of its members
    for member in archive.infolist():
        if not member.is_dir():
            yield (
                member.filename,
                TOO_LARGE if member.file_size > MOST_BYTES else Zipped(archive, member),
            )


def _unzipped(source: Zipped) -> bytes:
    if source.member.flag_bits & 1:
        raise UnreadableError("encrypted")
    try:
        with source.archive.open(source.member) as file:  # which may hold more than it says
            return file.read(source.member.file_size + 1)
    except DAMAGE:
        raise UnreadableError("damaged in the archive") from None


def _tarred(path: Path) -> Iterator[tuple[str, bytes | Fault]]:
    for archive, member in tar_members(path):
        if not member.isreg():
            continue
        if member.size > MOST_BYTES:
            yield member.name, TOO_LARGE
        elif is_picture(member.name) and (file := archive.extractfile(member)):
            yield member.name, file.read()
        else:
            yield member.name, Fault("no picture")
