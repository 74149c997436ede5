"""The model's file: served from a copy, so that whoever changes it changes no answer."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lookbook.foundation.files import sha256_of


@dataclass(frozen=True)
class Source:
    """A model's file as it was when the server started.

    Attributes:
        path: Where it lay, and may lie still.
        copy: What is served. LiteRT maps it into memory, and each thread and each new worker loads
            it again.
        sha256: Of both.
        stamp: What the file system said of the path then.
    """

    path: Path
    copy: Path
    sha256: str
    stamp: tuple[int, ...]

    def has_changed(self) -> bool:
        """Whether another model lies at the path by now, or none."""
        try:
            if _stamp(self.path) == self.stamp:
                return False
            return sha256_of(self.path) != self.sha256
        except OSError:
            return True


def copied(path: Path, folder: Path) -> Source:
    """Copy a model's file into a folder, and return both."""
    path = path.absolute()
    copy, stamp = folder / path.name, _stamp(path)
    shutil.copyfile(path, copy)
    return Source(path, copy, sha256_of(copy), stamp)


def _stamp(path: Path) -> tuple[int, ...]:
    known = os.stat(path)  # noqa: PTH116  # follows links, as reading does
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns
