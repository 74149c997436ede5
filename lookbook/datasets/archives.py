"""Zip and tar archives, read member by member. Nothing is ever unpacked to the disk.

An archive is refused as a whole when a member's name or kind could do harm if somebody unpacked
it, or if it could not be told from another: absolute names, `..`, links, devices, names that
differ only in case, members too large to be honest.
"""

import lzma
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from lookbook.foundation.errors import LookbookError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
PICTURE_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".gif",
    ".bmp",
    ".webp",
    ".heic",
    ".heif",
    ".avif",
)
MAX_PICTURE_BYTES = 2**28
MAX_MEMBER_BYTES = 2**30  # when unpacked; the largest published table has 83 MB

# What zipfile, tarfile and zlib raise for damaged archives.
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
)


class Member(NamedTuple):
    """A file in an archive: its name, with `/` between folders, and its unpacked size in bytes."""

    name: str
    bytes: int


def is_archive(name: str) -> bool:
    """Whether a file of this name is read as an archive."""
    return name.lower().endswith(SUFFIXES)


def is_picture(name: str) -> bool:
    """Whether a file of this name should hold a picture."""
    by_macos = "__MACOSX/" in name or name.rpartition("/")[2].startswith("._")
    return name.lower().endswith(PICTURE_SUFFIXES) and not by_macos


def list_members(path: Path) -> list[Member]:
    """Return the files in an archive, in its order, folders left out.

    Raises:
        LookbookError: If the archive is damaged or encrypted, or must be refused.
    """
    listed = list(_listed(path))
    names = check_names([name for name, _ in listed], path.name)
    return [Member(name, size) for name, (_, size) in zip(names, listed, strict=True)]


def check_names(names: list[str], where: str) -> list[str]:
    """Return the names of files in plain form, if they may stand in one archive.

    Raises:
        LookbookError: If one leads elsewhere or could not be told from another.
    """
    plain = [_safe_name(name, where) for name in names]
    _check_distinct(plain, where)
    return plain


def read_members(path: Path, names: set[str], max_bytes: int) -> Iterator[bytes | str]:
    """Yield the content of the members called `names`, in the archive's order.

    Args:
        path: An archive whose members `list_members` has checked.
        names: As `list_members` gives them.
        max_bytes: Members that are larger when unpacked are not read.

    Yields:
        The content, or in a few words why there is none.

    Raises:
        LookbookError: If a tar archive breaks off.
    """
    too_large = f"file over {max_bytes:,} bytes"
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as zipped:
            for info in zipped.infolist():
                if not info.is_dir() and _plain(info.filename) in names:
                    honest = info.file_size <= max_bytes
                    yield _read_zipped(zipped, info) if honest else too_large
        return
    try:
        with tarfile.open(path) as tarred:
            for member in tarred:
                tarred.members = []  # type: ignore[attr-defined]  # or it keeps all; not in typeshed
                if member.isreg() and _plain(member.name) in names:
                    content = tarred.extractfile(member) if member.size <= max_bytes else None
                    yield content.read() if content else too_large
    except DAMAGE as error:
        raise _broken(path, error) from None


@contextmanager
def open_member(path: Path, name: str) -> Iterator[IO[bytes]]:
    """Open one file of a zip archive for reading.

    Raises:
        LookbookError: If the archive is damaged, where that shows, or has no such member; lists
            those it has.
    """
    members = [member.name for member in list_members(path)]
    if name not in members:
        raise LookbookError(
            f"Expected {name} in {path.name}. Received: {', '.join(members[:10]) or 'nothing'}. "
            "Mend the card's reader, or fetch the file again."
        )
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as member:
            yield member
    except DAMAGE as error:
        raise _broken(path, error) from None


def _listed(path: Path) -> Iterator[tuple[str, int]]:
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as zipped:
                for info in zipped.infolist():
                    if info.flag_bits & 1:
                        raise _refused(path.name, info.filename, "encrypted")
                    kind = stat.S_IFMT(info.external_attr >> 16)
                    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                        raise _refused(path.name, info.filename, "a link or a device")
                    if not info.is_dir():
                        yield info.filename, _honest(info.file_size, info.filename, path)
            return
        with tarfile.open(path) as tarred:
            for member in tarred:
                if not (member.isreg() or member.isdir()):
                    raise _refused(path.name, member.name, "a link or a device")
                if member.isreg():
                    yield member.name, _honest(member.size, member.name, path)
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise _broken(path, error) from None


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        return "damaged in the archive"


def _plain(name: str) -> str:
    """Return a name as `list_members` gives it. Plain text work: there may be a million."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _safe_name(name: str, where: str) -> str:
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        raise _refused(where, name, "an absolute name")
    plain = _plain(name)
    if ".." in plain.split("/"):
        raise _refused(where, name, "a name that leads out of its folder")
    if not plain or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise _refused(where, name, "a name that is empty or has control characters")
    return plain


def _honest(size: int, name: str, path: Path) -> int:
    if size > MAX_MEMBER_BYTES:
        raise _refused(path.name, name, f"{size:,} bytes when unpacked, over {MAX_MEMBER_BYTES:,}")
    return size


def _check_distinct(names: list[str], where: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            other = seen[key]
            fault = "there twice" if other == name else f"the same as {other!r} but for case"
            raise _refused(where, name, fault)
        seen[key] = name


def _refused(where: str, name: str, fault: str) -> LookbookError:
    return LookbookError(
        f"Expected {where} to hold plain files of modest size under different relative names. "
        f"Received: {name!r}, {fault}. Nothing was unpacked; take it out or rename it."
    )


def _broken(path: Path, error: Exception) -> LookbookError:
    return LookbookError(
        f"Expected {path.name} to be a whole archive ({', '.join(SUFFIXES)}). Received: "
        f"{error or type(error).__name__}. Fetch or pack it again."
    )
