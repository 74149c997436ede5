"""Zip and tar archives, read member by member. Nothing is ever unpacked to the disk.

An archive is refused as a whole when a member's name or kind could do harm if somebody unpacked
it, or if it could not be told from another: absolute names, `..`, links, devices, names that
differ only in case, members too large to be honest.
"""

import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from lookbook.errors import LookbookError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
MAX_MEMBER_BYTES = 2**30  # when unpacked; the largest published table has 83 MB

# What zipfile, tarfile and zlib raise for damaged archives.
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError)


class Member(NamedTuple):
    """A file in an archive: its name, with `/` between folders, and its unpacked size in bytes."""

    name: str
    bytes: int


def is_archive(name: str) -> bool:
    """Whether a file of this name is read as an archive."""
    return name.lower().endswith(SUFFIXES)


def list_members(path: Path) -> list[Member]:
    """Return the files in an archive, in its order, folders left out.

    Raises:
        LookbookError: If the archive is damaged or encrypted, or must be refused.
    """
    members = [Member(_safe_name(name, path), size) for name, size in _listed(path)]
    _check_distinct([member.name for member in members], path)
    return members


def read_members(path: Path, names: set[str]) -> Iterator[bytes | None]:
    """Yield the content of the members called `names`, in the archive's order.

    Args:
        path: An archive whose members `list_members` has checked.
        names: As `list_members` gives them.

    Yields:
        The content, or None for a member that is damaged.

    Raises:
        LookbookError: If a tar archive breaks off.
    """
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir() and _plain(info.filename) in names:
                    yield _read_zipped(archive, info)
        return
    try:
        with tarfile.open(path) as archive:
            for info in archive:
                if info.isreg() and _plain(info.name) in names:
                    yield archive.extractfile(info).read()
    except DAMAGE as error:
        raise _broken(path, error) from None


def open_member(path: Path, name: str) -> zipfile.ZipExtFile:
    """Open one file of a zip archive for reading.

    Raises:
        LookbookError: If the archive is damaged or has no such member; lists those it has.
    """
    members = [member.name for member in list_members(path)]
    if name not in members:
        raise LookbookError(
            f"Expected {name} in {path.name}. Received: {', '.join(members[:10]) or 'nothing'}. "
            "Mend the card's reader, or fetch the file again."
        )
    return zipfile.ZipFile(path).open(name)


def _listed(path: Path) -> Iterator[tuple[str, int]]:
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    if info.flag_bits & 1:
                        raise _refused(path, info.filename, "encrypted")
                    kind = stat.S_IFMT(info.external_attr >> 16)
                    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                        raise _refused(path, info.filename, "a link or a device")
                    if not info.is_dir():
                        yield info.filename, _honest(info.file_size, info.filename, path)
            return
        with tarfile.open(path) as archive:
            for info in archive:
                if not (info.isreg() or info.isdir()):
                    raise _refused(path, info.name, "a link or a device")
                if info.isreg():
                    yield info.name, _honest(info.size, info.name, path)
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise _broken(path, error) from None


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        return None


def _plain(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


def _safe_name(name: str, path: Path) -> str:
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or PureWindowsPath(name).drive:
        raise _refused(path, name, "an absolute name")
    if ".." in plain.parts:
        raise _refused(path, name, "a name that leads out of its folder")
    if any(ord(letter) < 32 for letter in name):
        raise _refused(path, name, "a name with control characters")
    return str(plain)


def _honest(size: int, name: str, path: Path) -> int:
    if size > MAX_MEMBER_BYTES:
        raise _refused(path, name, f"{size:,} bytes when unpacked, over {MAX_MEMBER_BYTES:,}")
    return size


def _check_distinct(names: list[str], path: Path) -> None:
    seen = {}
    for name in names:
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            other = seen[key]
            fault = "there twice" if other == name else f"the same as {other!r} but for case"
            raise _refused(path, name, fault)
        seen[key] = name


def _refused(path: Path, name: str, fault: str) -> LookbookError:
    return LookbookError(
        f"Expected {path.name} to hold plain files of modest size under different relative names. "
        f"Received: {name!r}, {fault}. Nothing was unpacked; take it out of the archive."
    )


def _broken(path: Path, error: Exception) -> LookbookError:
    return LookbookError(
        f"Expected {path.name} to be a whole archive ({', '.join(SUFFIXES)}). Received: "
        f"{error or type(error).__name__}. Fetch or pack it again."
    )
