"""Where files of a data set may lie on this machine, as the user's environment says."""

import os
from pathlib import Path

import pooch

from lookbook.foundation.errors import LookbookError


def cache_folder(dataset: str) -> Path:
    """Return the folder where the files of a data set are kept for this user."""
    return Path(os.environ.get("LOOKBOOK_CACHE") or pooch.os_cache("lookbook"), dataset)


def expanded(path: str) -> Path:
    """Return a path with `~` replaced by the home folder.

    Raises:
        LookbookError: If it is that of a user whom the machine does not know.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise LookbookError(
            f"Expected a path. Received: {path!r}, in the home folder of nobody here. "
            "Write it in full."
        ) from None


def mirror(dataset: str) -> list[str]:
    """Return the mirror's address for a data set, if the user has set one."""
    base = os.environ.get("LOOKBOOK_MIRROR", "").rstrip("/")
    if not base:
        return []
    if not base.startswith(("http://", "https://")):
        base = str(expanded(base).absolute())
    return [f"{base}/{dataset}"]
