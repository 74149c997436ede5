"""What a killed DVC leaves of its record of who reads and writes what, put right."""

import itertools
import json
from pathlib import Path

FOLDER = Path(".dvc/tmp")
RECORD = "rwlock"
GUARD = "rwlock.lock"


def mend_record(folder: Path = FOLDER) -> bool:
    """Remove DVC's record of running commands if a kill has left it.

    DVC writes the record in place, and refuses every command while it is no JSON, or while another
    process has the number of one that was killed. Whoever changes it holds its guard, which the
    system takes back from who was killed.

    Args:
        folder: DVC's folder for what is temporary.

    Returns:
        Whether there was something to mend.
    """
    record = folder / RECORD
    if not is_left_over(record):
        return False
    from dvc.config import Config
    from dvc.lock import LockError, make_lock

    hard_links = Config.from_cwd()["core"].get("hardlink_lock", False)
    guard = make_lock(str(folder / GUARD), tmp_dir=str(folder), hardlink_lock=hard_links)
    try:
        with guard:
            if not is_left_over(record):  # another DVC was writing it
                return False
            record.unlink()
            return True
    except LockError:  # a living DVC has it, and knows what it does
        return False


def is_left_over(record: Path) -> bool:
    """Whether a record is half written, or names commands none of which runs any more."""
    try:
        entries = json.loads(record.read_bytes())
        writers, readers = (entries.get(kind, {}).values() for kind in ("write", "read"))
        pids = [entry["pid"] for entry in [*writers, *itertools.chain(*readers)]]
    except FileNotFoundError:
        return False
    except (ValueError, AttributeError, LookupError, TypeError):  # no text, JSON or record
        return True
    return bool(pids) and not any(map(_is_dvc, pids))


def _is_dvc(pid: int) -> bool:
    import psutil

    try:
        return any("dvc" in word for word in psutil.Process(pid).cmdline()[:4])
    except psutil.AccessDenied:  # another user's, and it may be one
        return True
    except psutil.Error:
        return False
