"""Zip and tar archives, read member by member. Nothing is ever unpacked to the disk.

An archive is refused as a whole when a member's name or kind could do harm if somebody unpacked
it, or if it could not be told from another: absolute names, `..`, links, devices, names that
differ only in case, members too large to be honest. So is one that breaks off or is damaged, where
its format lets that be seen: tar's headers and its end, gzip's CRC, zip's directory and CRCs.
"""

import gzip
import stat
import struct
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from lookbook.foundation.damage import DAMAGE, DAMAGED_CONTENT
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
MAX_MEMBERS = 2 * 10**6  # ImageNet has 1.4 million
MAX_RATIO = 200  # of unpacked to packed bytes, above MODEST_BYTES; tables have 10, photos 1
MAX_HEADER_BYTES = 2**20  # of a tar's long names and pax headers, which are held in memory
MODEST_BYTES = 2**30  # that any archive may hold
BLOCK_BYTES = 2**20

DIRECTORY_END = b"PK\5\6"  # of a zip archive; 22 bytes and a comment of at most 65,535 follow
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OTHER_ZIP_METHODS = {9: "Deflate64", 12: "BZIP2", 14: "LZMA", 93: "Zstandard", 95: "XZ"}
LONG_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
# How files begin that tarfile would unpack too, but whose end it would not check.
OTHER_COMPRESSIONS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zstd"}


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
                if not info.filename.endswith("/") and _plain(info.filename) in names:
                    honest = info.file_size <= max_bytes
                    yield _read_zipped(zipped, info) if honest else too_large
        return
    for tarred, member in tar_members(path):
        if member.isreg() and _plain(member.name) in names:
            content = tarred.extractfile(member) if member.size <= max_bytes else None
            yield content.read() if content else too_large


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
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            member = stack.enter_context(archive.open(name))
        except DAMAGE as error:
            raise _broken(path, error) from None
        try:
            yield member
        except DAMAGED_CONTENT as error:
            raise _broken(path, error) from None


def tar_members(path: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield each member of a tar archive, gzipped or not, with the archive to read it from.

    Raises:
        LookbookError: If it is of another compression, or damaged: a header that is none, an end
            that is missing, a CRC of gzip that does not match. What came before was yielded.
    """
    seen = 0
    try:
        with (
            _unpacked(path) as file,
            tarfile.open(fileobj=file, mode="r:", tarinfo=_StrictTarInfo) as tarred,
        ):
            for member in tarred:
                seen += 1
                if member.size < 0:  # by which the archive would begin again, for ever
                    raise tarfile.ReadError(f"{member.size:,} bytes of a file")
                tarred.members = []  # type: ignore[attr-defined]  # or it keeps all; not in typeshed
                yield tarred, member
            while block := file.read(BLOCK_BYTES):  # to the end, where gzip has its CRC
                if block.strip(b"\0"):
                    raise tarfile.ReadError("more behind its end")
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise _broken(path, error, seen) from None


class _StrictTarInfo(tarfile.TarInfo):
    """A header that tarfile does not take for the archive's end when it is damaged or missing."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictTarInfo":
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):  # the end, as it should be
                raise
            raise tarfile.ReadError(f"{error}, where a file or the end should be") from None
        if header.type in LONG_HEADERS and header.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, name in OTHER_COMPRESSIONS.items():
        if start.startswith(magic):
            raise LookbookError(
                f"Expected {path.name} to be a tar archive, gzipped or not. Received: one that is "
                f"packed with {name}. Pack it again as tar.gz or zip."
            )
    if start.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")


def _listed(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and unpacked size of each file, if archive and file are honest."""
    total, limit = 0, max(MODEST_BYTES, MAX_RATIO * path.stat().st_size)
    members = _listed_zip(path) if path.suffix.lower() == ".zip" else _listed_tar(path)
    for count, (name, size) in enumerate(members, start=1):
        total += size
        if size > MAX_MEMBER_BYTES:
            fault = f"{size:,} bytes when unpacked, over {MAX_MEMBER_BYTES:,}"
            raise _refused(path.name, name, fault)
        if total > limit:
            fault = f"with which it comes to {total:,} bytes when unpacked, over {limit:,}"
            raise _refused(path.name, name, fault)
        if count > MAX_MEMBERS:
            raise _refused(path.name, name, f"after {MAX_MEMBERS:,} others")
        yield name, size


def _listed_zip(path: Path) -> Iterator[tuple[str, int]]:
    try:
        with zipfile.ZipFile(path) as zipped:
            members = zipped.infolist()
        _check_directory(path, len(members))
    except FileNotFoundError:
        raise
    except DAMAGE as error:
        raise _broken(path, error) from None
    for info in members:
        if info.flag_bits & 1:
            raise _refused(path.name, info.filename, "encrypted")
        if info.compress_type not in ZIP_METHODS:
            method = OTHER_ZIP_METHODS.get(info.compress_type, f"method {info.compress_type}")
            raise _refused(path.name, info.filename, f"compressed with {method}, not deflated")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(path.name, info.filename, "a link or a device")
        if not info.filename.endswith("/"):
            yield info.filename, info.file_size


def _check_directory(path: Path, count: int) -> None:
    """Raise BadZipFile unless a zip archive says itself that it has so many members."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**16 - 22))
        end = file.read()
    (said,) = struct.unpack_from("<H", end, end.rfind(DIRECTORY_END) + 10)
    if said not in (count, 2**16 - 1):  # the latter where a field of 16 bits is too small
        raise zipfile.BadZipFile(f"a directory of {count:,} files that says {said:,}")


def _listed_tar(path: Path) -> Iterator[tuple[str, int]]:
    for _, member in tar_members(path):
        if member.issparse():
            raise _refused(path.name, member.name, "a sparse file")
        if not (member.isreg() or member.isdir()):
            raise _refused(path.name, member.name, "a link or a device")
        if member.isreg():
            yield member.name, member.size


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
    try:
        return archive.read(info)
    except DAMAGE:
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


def _broken(path: Path, error: Exception, seen: int = 0) -> LookbookError:
    before = f", after {seen:,} files" if seen else ""
    return LookbookError(
        f"Expected {path.name} to be a whole archive ({', '.join(SUFFIXES)}). Received: "
        f"{error or type(error).__name__}{before}. Fetch or pack it again."
    )
