"""Whether a file is the one that a card describes."""

import hashlib
from pathlib import Path

from lookbook.datasets.archives import list_members, open_member
from lookbook.datasets.cards import PublishedFile
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import sha256_of

BLOCK_BYTES = 2**20


def fault_of(path: Path, file: PublishedFile) -> str | None:
    """Return in a few words what is wrong with the file at `path`, or None if it is the right one.

    Raises:
        FileNotFoundError: If there is no file.
    """
    if not file.members:
        received = sha256_of(path)
        return None if received == file.sha256 else f"the SHA-256 {received}"
    try:
        names = {member.name for member in list_members(path)}
        for name, expected in file.members.items():
            if name not in names:
                return f"an archive without {name}"
            received = _sha256_with_lf(path, name)
            if received != expected:
                return f"the SHA-256 {received} for its {name}, not {expected}"
    except LookbookError as error:
        return str(error)
    return None


def _sha256_with_lf(path: Path, name: str) -> str:
    """Return the SHA-256 of a zip archive's member after changing its line ends to LF."""
    digest = hashlib.sha256()
    with open_member(path, name) as member:
        while block := member.read(BLOCK_BYTES):
            while block.endswith(b"\r") and (more := member.read(1)):
                block += more
            digest.update(block.replace(b"\r\n", b"\n"))
    return digest.hexdigest()
