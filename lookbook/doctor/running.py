"""What runs here, and what killed runs have left: processes, DVC's locks, partial files."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pooch
import psutil

from lookbook.doctor.finding import BY_DOCTOR, Finding
from lookbook.foundation.dvc_locks import FOLDER, RECORD, is_left_over, mend_record
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import ABANDONED, remove
from lookbook.foundation.places import cache_folder
from lookbook.foundation.processes import STAGE

PARTIAL = re.compile(r"\.partial-.*|.*\.[\w-]{22}\.tmp")  # ours, and DVC's
PASSED_OVER = {".git", ".venv", ".dvc"}
PATIENCE = 5.0  # seconds that a process has to end


def check_nothing_runs() -> None:
    """Raise a LookbookError if a DVC, or a stage of one, is at work in this clone."""
    own = {process.pid for process in [psutil.Process(), *psutil.Process().parents()]}
    for process in _processes_here():
        if process.pid not in own and _is_dvc(process):
            raise LookbookError(
                f"Expected that no DVC runs in this clone. Received: `{_words(process)}`, process "
                f"{process.pid}. Wait for its end, or end it."
            )


def check_orphans() -> Iterator[Finding]:
    """Stages whose DVC is gone."""
    for process in _processes_here():
        words = _command(process)
        is_stage = any(a == "-m" and b.startswith("stages.") for a, b in pairwise(words))
        if is_stage and STAGE in _environment(process):
            yield Finding(
                "orphan",
                f"process {process.pid}",
                f"`{_words(process)}` still runs, and the DVC that started it is gone",
                f"{BY_DOCTOR}, or `kill {process.pid}`.",
                partial(_end, process),
            )


def check_locks() -> Iterator[Finding]:
    """DVC's record of running commands, which may be half written or name the dead."""
    if is_left_over(FOLDER / RECORD):
        what = "a killed DVC has left it"
        yield Finding("dvc-lock", str(FOLDER / RECORD), what, mend=mend_record)


def check_partial(cache: Path) -> Iterator[Finding]:
    """Files and folders that nobody is writing any more.

    Args:
        cache: DVC's.
    """
    ours = cache_folder("x").parent
    for folder in (Path(), cache, ours):
        # Others may be at work in caches that are not this clone's alone.
        is_shared = folder == ours and _others_work(ours)
        is_shared |= folder == cache and Path.cwd() not in cache.absolute().parents
        for path in _partial_below(folder):
            with contextlib.suppress(FileNotFoundError):
                if not is_shared or time.time() - path.lstat().st_mtime > ABANDONED:
                    what = "a killed command has left it half written"
                    yield Finding("partial", str(path), what, mend=partial(_removed, path))


def _partial_below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            if PARTIAL.fullmatch(name):
                yield Path(root, name)
        folders[:] = [
            name for name in folders if name not in PASSED_OVER and not PARTIAL.fullmatch(name)
        ]


def _removed(path: Path) -> bool:
    remove(path)
    return True


def _end(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(PATIENCE)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)
    return not process.is_running()


def _processes_here() -> list[psutil.Process]:
    here, found = Path.cwd(), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()) == here and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _others_work(cache: Path) -> bool:
    """Whether a process that writes into the user's cache may be at work in any clone."""
    for process in psutil.process_iter():
        words = _command(process)
        if process.pid != os.getpid() and any(w.startswith(("stages.", "lookbook")) for w in words):
            named = _environment(process).get("LOOKBOOK_CACHE") or pooch.os_cache("lookbook")
            if Path(named) == cache:
                return True
    return False


def _is_dvc(process: psutil.Process) -> bool:
    words = [Path(word).name for word in _command(process)[:4]]
    return "dvc" in words and "daemon" not in words


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.Error, OSError):
        return []


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _words(process: psutil.Process) -> str:
    return " ".join(_command(process))
