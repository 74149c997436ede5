"""Where files of a data set may lie on this machine, as the user's environment says."""

import os
from pathlib import Path

import pooch


def cache_folder(dataset: str) -> Path:
    """Return the folder where the files of a data set are kept for this user."""
    return Path(os.environ.get("LOOKBOOK_CACHE") or pooch.os_cache("lookbook"), dataset)


def mirror(dataset: str) -> list[str]:
    """Return the mirror's address for a data set, if the user has set one."""
    base = os.environ.get("LOOKBOOK_MIRROR", "").rstrip("/")
    if not base:
        return []
    if not base.startswith(("http://", "https://")):
        base = str(Path(base).expanduser().absolute())
    return [f"{base}/{dataset}"]
