"""Archives, listed and read to their end: the first byte says by which suffix."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from lookbook.datasets.archives import SUFFIXES, list_members, open_member, read_members
from lookbook.foundation.errors import LookbookError

FILES = {"cats/1.png": b"1" * 700, "cats/\u00e9.png": b"", "dogs/" + "x" * 90: b"2" * 40}
MOST_BYTES = 2**20


def _zip(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return file.getvalue()


def _tar(kind: int, pack: Callable[[bytes], bytes] = bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return pack(file.getvalue())


SEEDS = [
    b"\0" + _zip(zipfile.ZIP_STORED),
    b"\0" + _zip(zipfile.ZIP_DEFLATED),
    b"\1" + _tar(tarfile.USTAR_FORMAT),
    b"\1" + _tar(tarfile.GNU_FORMAT),
    b"\1" + _tar(tarfile.PAX_FORMAT),
    b"\2" + _tar(tarfile.GNU_FORMAT, gzip.compress),
    b"\0" + _zip(zipfile.ZIP_BZIP2),
]


def read(content: bytes, folder: Path) -> None:
    """List an archive and read all of its members."""
    suffix = SUFFIXES[(content or b"\0")[0] % len(SUFFIXES)]
    path = folder / f"pets{suffix}"
    path.write_bytes(content[1:])
    names = {member.name for member in list_members(path)}
    for one in read_members(path, names, MOST_BYTES):
        assert isinstance(one, str) or len(one) <= MOST_BYTES
    if suffix == ".zip":
        for name in sorted(names)[:2]:
            try:
                with open_member(path, name) as member:
                    while member.read(MOST_BYTES):
                        pass
            except LookbookError:
                pass
