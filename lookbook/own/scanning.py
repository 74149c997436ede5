"""What is there: the photos of folders, archives and lists, each with its class, not yet read.

A place is a folder with one folder a class, here or in a store such as S3; a zip, tar or tar.gz
archive of it; the http(s) address of such an archive; or a CSV or TSV of file names and labels.
"""

import csv
import logging
import re
import stat
import unicodedata
from collections.abc import Collection, Iterator
from os import walk
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from lookbook.datasets.archives import (
    MAX_PICTURE_BYTES,
    is_archive,
    is_picture,
    list_members,
    read_members,
)
from lookbook.datasets.cards import LONGEST_CLASS, OwnSource
from lookbook.foundation.downloading import GivenUpError, download
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import replacing
from lookbook.foundation.names import is_harmful
from lookbook.foundation.places import cache_folder, expanded
from lookbook.own.fetching import Store
from lookbook.readers.images import SPLIT_FOLDERS, arrange, class_key
from lookbook.readers.images import Place as Folder

LISTS = {".csv": ",", ".tsv": "\t"}
NAME_COLUMNS = ("name", "file", "filename", "file_name", "path", "image", "id")
LABEL_COLUMNS = ("label", "class", "category", "target")
RESERVED = ("none of these", "unsure")  # what a model says of a picture that is of no class

logger = logging.getLogger("add")


class Photo(NamedTuple):
    """A photo that is there.

    Attributes:
        name: Below its place, with `/` between folders.
        class_name: Of its folder, or of its label.
        published: `train`, `validation`, `test`, or '' where nobody says.
        group: What keeps it together with others, or ''.
        path: The file; None if it is in an archive.
        size: In bytes.
        changed: When, in nanoseconds; 0 in an archive.
    """

    name: str
    class_name: str
    published: str
    group: str
    path: Path | None
    size: int
    changed: int


class Place(NamedTuple):
    """What is in one place.

    Attributes:
        label: How the place is called on the card.
        archive: Its path, if it is an archive.
        photos: In the order in which they are read.
        others: Name and reason of each file that is left out.
    """

    label: str
    archive: Path | None
    photos: list[Photo]
    others: list[tuple[str, str]]

    def contents(self) -> Iterator[bytes | str]:
        """Yield the bytes of each photo, or in a few words why there are none."""
        if self.archive is None:
            yield from (read_file(photo) for photo in self.photos)
        else:
            names = {photo.name for photo in self.photos}
            yield from read_members(self.archive, names, MAX_PICTURE_BYTES)


class Columns(NamedTuple):
    """Which columns of a list hold what; None: the usual names are tried."""

    name: str | None = None
    label: str | None = None
    group: str | None = None


class Grouping(NamedTuple):
    """What keeps photos together, beside their likeness; see `OwnSource` of a card."""

    pattern: str | None = None
    level: int | None = None

    def __str__(self) -> str:
        if self.pattern:
            return f"groups by the pattern {self.pattern!r}"
        return f"groups by folders of level {self.level}" if self.level else "no groups asked for"

    def of(self, name: str) -> str:
        """Return the group that a name tells, or ''."""
        if self.pattern:
            found = re.search(self.pattern, name)
            return (found[1] if found.re.groups else found[0]) or "" if found else ""
        if self.level:
            parents = PurePosixPath(name).parts[:-1]
            return "/".join(parents[: max(0, len(parents) - self.level + 1)])
        return ""


def grouping(pattern: str | None, level: int | None) -> Grouping:
    """Return what keeps photos together, as the command line says it.

    Raises:
        LookbookError: If the pattern is none, or both are given.
    """
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise LookbookError(
            f"Expected a regular expression after --group-pattern. Received: {pattern!r}, which is "
            f"none: {error}."
        ) from None
    if (pattern and level is not None) or (level is not None and level < 1):
        raise LookbookError(
            "Expected either --group-pattern or --group-level, the latter from 1. Received: "
            f"{pattern!r} and {level}."
        )
    return Grouping(pattern, level)


class Manner(NamedTuple):
    """How places are looked at.

    Attributes:
        columns: Of lists.
        grouping: What keeps photos together.
        classes: What folders may be called: the classes that the set has, and their other names.
    """

    columns: Columns
    grouping: Grouping
    classes: frozenset[str]


def manner_of(source: OwnSource, classes: list[str]) -> Manner:
    """Return how the places of a set that is there are looked at."""
    return Manner(
        Columns(source.name_column, source.label_column, source.group_column),
        Grouping(source.group_pattern, source.group_level),
        frozenset(map(class_key, [*classes, *source.aliases])),
    )


def look_everywhere(dataset: str, places: list[str], manner: Manner) -> list[Place]:
    """Find the photos of all places of a set; those that are not on this machine are passed over.

    Raises:
        LookbookError: If none of them is here, or one is not sorted into classes.
    """
    here = [place for place in places if "://" in place or expanded(place).exists()]
    if places and not here:
        raise LookbookError(
            f"Expected one of the places that {dataset} came from: {', '.join(places)}. Received: "
            f"none of them on this machine. Name one: lookbook add {dataset} PLACE"
        )
    for place in places:
        if place not in here:
            logger.info("not on this machine: %s", place)
    return [look(dataset, place, manner) for place in here]


def look(dataset: str, place: str, manner: Manner) -> Place:
    """Find the photos of a place.

    Args:
        dataset: The set's name, for the cache of downloads.
        place: Folder, archive, address or list.
        manner: How it is looked at.

    Raises:
        LookbookError: If there is nothing of the kind, or it is not sorted into classes.
    """
    if place.startswith(("http://", "https://")):
        path = _downloaded(dataset, place)
        return _of_archive(path, place, manner)
    if "://" in place:
        return _of_store(Store(dataset, place), manner)
    path = expanded(place)
    if path.is_dir():
        return _of_folder(path, manner)
    if path.is_file() and path.suffix.lower() in LISTS:
        return _of_list(path, manner)
    if path.is_file() and is_archive(path.name):
        return _of_archive(path, portable(path), manner)
    kind = "a file of another kind" if path.exists() else "no such file or folder"
    raise LookbookError(
        "Expected a folder with one folder a class, a zip, tar or tar.gz archive of it, or a CSV "
        f"or TSV of file names and labels. Received: {place}, {kind}. Name one of them."
    )


def read_file(photo: Photo) -> bytes | str:
    """Return a file's bytes, or in a few words why they cannot be had."""
    assert photo.path is not None
    if photo.size > MAX_PICTURE_BYTES:
        return f"file over {MAX_PICTURE_BYTES:,} bytes"
    try:
        return photo.path.read_bytes()
    except PermissionError:
        return "may not be read"
    except FileNotFoundError:
        return "gone"


def portable(path: Path) -> str:
    """Return a path as it stands on a card: below the home folder where it is there."""
    path, home = path.resolve(), Path.home()
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in str(path)):
        raise LookbookError(
            f"Expected a place whose path can be written as text. Received: {ascii(str(path))}. "
            "Rename its folders."
        )
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)


def class_of(folder: str) -> str:
    """Return a class's name: no blanks at its ends, one Unicode form."""
    return unicodedata.normalize("NFC", folder.strip())


def check_class(name: str) -> None:
    """Raise a LookbookError if a class may not be called so."""
    if not name or any(map(is_harmful, name)) or len(name) > LONGEST_CLASS:
        fault = "nothing" if not name else ascii(name)
        raise LookbookError(
            f"Expected the name of a class to be 1 to {LONGEST_CLASS} printable characters. "
            f"Received: {fault}. Rename its folder, or mend its label."
        )
    if name.casefold() in RESERVED:
        raise LookbookError(
            f"Expected the name of a class. Received: {name!r}, which is what is said of pictures "
            "of no class. Rename it."
        )


def _of_folder(root: Path, manner: Manner) -> Place:
    files, others = _files(root)
    folders = [folder.name for folder in root.iterdir() if folder.is_dir()]
    _check_filled(str(root), folders, files)
    photos, strays = _sorted_into_classes(files, manner, root.name)
    return Place(portable(root), None, photos, others + strays)


def _of_store(store: Store, manner: Manner) -> Place:
    files: dict[str, tuple[Path | None, int, int]] = {}
    others = [*store.others]
    for name, (size, _) in store.files.items():
        if _is_clutter(name):
            continue
        if reason := _unfit_name(name):
            others.append((name, reason))
        else:
            files[name] = (store.path(name), size, 0)
    named = [*store.files, *(name for name, _ in others)]
    _check_filled(store.address, [name.split("/")[0] for name in named if "/" in name], files)
    root = store.address.rpartition("/")[2]
    photos, strays = _sorted_into_classes(files, manner, root)
    store.fetch([photo.name for photo in photos if photo.size <= MAX_PICTURE_BYTES])
    photos = [photo._replace(changed=_changed(photo.path)) for photo in photos]
    return Place(store.address, None, photos, others + strays)


def _check_filled(root: str, folders: list[str], files: Collection[str]) -> None:
    """Raise a LookbookError unless there is a picture, and one in each folder of the root."""
    filled = {name.split("/")[0] for name in files if "/" in name}
    empty = sorted({name for name in folders if not _is_hidden(name)} - filled)
    if empty or not files:
        received = f"none in {', '.join(map(repr, empty))}" if empty else "no picture"
        raise LookbookError(
            f"Expected pictures in every folder of {root}. Received: {received}. Add pictures, or "
            "take the folder away."
        )


def _of_archive(path: Path, label: str, manner: Manner) -> Place:
    sizes: dict[str, tuple[Path | None, int, int]] = {}
    others = []
    for member in list_members(path):
        if _is_clutter(member.name):
            continue
        if is_picture(member.name):
            sizes[member.name] = (None, member.bytes, 0)
        else:
            others.append((member.name, "not a picture's name"))
    photos, strays = _sorted_into_classes(sizes, manner, "")
    return Place(label, path, photos, others + strays)


def _sorted_into_classes(
    files: dict[str, tuple[Path | None, int, int]], manner: Manner, root: str
) -> tuple[list[Photo], list[tuple[str, str]]]:
    places = _known_folders(list(files), manner.classes, root) or arrange(list(files))
    photos = []
    for name, (path, size, changed) in files.items():
        if name in places:
            folder, published = places[name]
            group = manner.grouping.of(name)
            photos.append(Photo(name, class_of(folder), published, group, path, size, changed))
    strays = [(name, "in no class folder") for name in files if name not in places]
    return photos, strays


def _known_folders(names: list[str], classes: frozenset[str], root: str) -> dict[str, Folder]:
    """Return the place of each file if all are in folders called like classes that there are.

    That may be one class alone, and the folder itself may be it.
    """
    found = {}
    for name in names:
        parts = [*name.split("/")[:-1]]
        fits = [depth for depth, part in enumerate(parts) if class_key(part) in classes]
        if fits:
            above = class_key(parts[fits[0] - 1]) if fits[0] else ""
            found[name] = Folder(parts[fits[0]], SPLIT_FOLDERS.get(above, ""))
        elif class_key(root) in classes:
            found[name] = Folder(root, "")
        else:
            return {}
    return found


def _of_list(path: Path, manner: Manner) -> Place:
    columns, grouping = manner.columns, manner.grouping
    rows = _rows(path)
    header, body = rows[0], rows[1:]
    name_at = _column(path, header, columns.name, NAME_COLUMNS, "--name-column")
    label_at = _column(path, header, columns.label, LABEL_COLUMNS, "--label-column")
    group_at = columns.group and _column(path, header, columns.group, (), "--group-column")
    photos, others, root = [], [], path.parent
    for line, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise _fault(path, line, f"{len(header)} values", f"{len(row)}")
        name, label = row[name_at].strip(), class_of(row[label_at])
        if not label:
            raise _fault(path, line, "a label", "nothing")
        file = root / name
        if "\0" in name or Path(name).is_absolute() or not _is_below(file, root):
            raise _fault(path, line, f"a file below {root}", repr(name))
        try:
            status = file.stat()
        except OSError:
            others.append((name, f"in {path.name}, but not there"))
            continue
        if not stat.S_ISREG(status.st_mode):
            others.append((name, "not a plain file"))
            continue
        group = row[group_at].strip() if isinstance(group_at, int) else grouping.of(name)
        photos.append(Photo(name, label, "", group, file, status.st_size, status.st_mtime_ns))
    if not photos:
        raise LookbookError(
            f"Expected {path} to list pictures below {root}. Received: none that is there. Mend "
            "its names, or put it beside the folder that they are in."
        )
    return Place(portable(path), None, photos, others)


def _is_below(file: Path, root: Path) -> bool:
    try:
        return file.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a circle of links
        return False


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Strictly, else a quote that is left open takes in all rows below it.
            lines = csv.reader(file, delimiter=LISTS[path.suffix.lower()], strict=True)
            rows = [row for row in lines if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LookbookError(
            f"Expected {path} to be a table in UTF-8 whose quotes are closed. Received: {error}. "
            "Save it as such."
        ) from None
    if not rows:
        raise LookbookError(
            f"Expected {path} to begin with the names of its columns. Received: an empty file."
        )
    return rows


def _column(
    path: Path, header: list[str], wanted: str | None, usual: tuple[str, ...], option: str
) -> int:
    plain = [name.strip().casefold() for name in header]
    for name in (wanted.strip().casefold(),) if wanted else usual:
        if name in plain:
            return plain.index(name)
    expected = repr(wanted) if wanted else f"one of {', '.join(usual)}"
    raise LookbookError(
        f"Expected the column {expected} in {path}. Received: {', '.join(header)}. Name it with "
        f"{option}."
    )


def _fault(path: Path, line: int, expected: str, received: str) -> LookbookError:
    return LookbookError(
        f"Expected {expected} in {path}, line {line}. Received: {received}. Mend that line."
    )


def _files(root: Path) -> tuple[dict[str, tuple[Path | None, int, int]], list[tuple[str, str]]]:
    """Return path, size and time of each picture below a folder by its name, and the others.

    Links are followed, no folder is entered twice.
    """
    found: dict[str, tuple[Path | None, int, int]] = {}
    others, seen = [], set()

    def fail(error: OSError) -> None:
        raise error

    for folder, folders, files in walk(root, followlinks=True, onerror=fail):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link back to a folder above
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files):
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if _is_hidden(name):
                continue
            reason = _unfit_name(relative) or _unfit(path)
            if reason:
                others.append((relative, reason))
                continue
            status = path.stat()
            found[relative] = (path, status.st_size, status.st_mtime_ns)
    return found, others


def _unfit_name(name: str) -> str:
    """Return in a few words why a file of this name is left out, or ''."""
    if not is_picture(name):
        return "not a picture's name"
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return "a name with control characters"
    if "" in name.split("/"):
        return "a name that is no path"  # stores have such
    return ""


def _unfit(path: Path) -> str | None:
    try:
        return None if stat.S_ISREG(path.stat().st_mode) else "not a plain file"
    except OSError:
        return "a link that leads nowhere"


def _changed(path: Path | None) -> int:
    """Return when a file was changed, in nanoseconds; 0 if there is none."""
    return path.stat().st_mtime_ns if path and path.is_file() else 0


def _is_hidden(name: str) -> bool:
    """Whether systems keep a file or folder of this name for themselves."""
    return name.startswith(".") or name in ("@eaDir", "__MACOSX", "Thumbs.db", "desktop.ini")


def _is_clutter(name: str) -> bool:
    return any(_is_hidden(part) for part in name.split("/"))


def _downloaded(dataset: str, address: str) -> Path:
    """Download an archive into the cache."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise LookbookError(
            f"Expected an http(s) address. Received: {address!r}, which is none ({error}). Mend it."
        ) from None
    name = PurePosixPath(parts.path).name
    if parts.query or parts.fragment or "@" in parts.netloc or not is_archive(name):
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
        raise LookbookError(
            "Expected an address that ends with the name of a zip, tar or tar.gz archive, without "
            "a question mark, user name or password, since it will stand on the card. Received: "
            f"{shown}. Download the archive and name its path instead."
        )
    path = cache_folder(f"{dataset}.downloads") / name
    try:
        with replacing(path, shared=True) as partial:
            download(address, partial)
    except (requests.RequestException, ValueError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = str(error) if isinstance(error, GivenUpError) else type(error).__name__
        received = f"HTTP status {status}" if status else reason
        raise LookbookError(
            f"Expected to download {address}. Received: {received}. Check the address and the "
            "network, or download the archive and name its path instead."
        ) from None
    return path
