"""One thing that is wrong, and what mends it."""

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lookbook.foundation.files import md5_of

ASIDE = Path(".dvc/tmp/aside")
BY_DOCTOR = "Run `lookbook doctor --repair`"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: What sort of fault, a word or two joined by `-`, for programs.
        where: The file or the program.
        what: What is wrong with it, in a few words.
        remedy: A sentence with a full stop.
        mend: Puts it right, and says whether that went well; None where only a user can.
    """

    kind: str
    where: str
    what: str
    remedy: str = f"{BY_DOCTOR}."
    mend: Callable[[], bool] | None = None

    def as_dict(self) -> dict[str, str]:
        """Return it as plain text, by name."""
        return {name: getattr(self, name) for name in ("kind", "where", "what", "remedy")}

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}"


def put_aside(path: Path) -> Path:
    """Move a file out of the way without losing it; return where it is now."""
    try:
        name = md5_of(path)[:8]
    except OSError:  # it cannot be read, but it can be moved
        name = f"unreadable-{time.time_ns()}"
    ASIDE.mkdir(parents=True, exist_ok=True)
    target = ASIDE / f"{name}-{path.name}"
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a cache on another disk
            raise
        target = path.with_name(f"aside-{name}-{path.name}")
        path.rename(target)
    return target
