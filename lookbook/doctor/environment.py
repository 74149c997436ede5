"""The environment: Python, packages, disk, open files."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from lookbook.doctor.finding import Finding
from lookbook.foundation.places import cache_folder

LOCKED = Path("locks/all.txt")
DISK_BYTES = 10**9
OPEN_FILES = 256  # TensorFlow, DVC's threads and the shards of a large set together


def check_python() -> Iterator[Finding]:
    """Whether the stages' `python` is the one of this environment."""
    found = shutil.which("python")
    if found is None:
        yield Finding("python", "PATH", "there is no python", "Activate the environment.")
        return
    ask = [found, "-c", "import sys; print(sys.prefix)"]
    prefix = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
    if not prefix or os.path.realpath(prefix) != os.path.realpath(sys.prefix):
        yield Finding(
            "python",
            found,
            f"is first in PATH, and not of the environment {sys.prefix}",
            f"Run `source {sys.prefix}/bin/activate`.",
        )


def check_packages() -> Iterator[Finding]:
    """Whether the installed packages have the versions that are locked."""
    if not LOCKED.is_file():
        return
    for line in LOCKED.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip(" \\")
        if not text or text.startswith("--hash"):
            continue
        pinned = Requirement(text)
        if pinned.marker and not pinned.marker.evaluate():
            continue
        try:
            installed = version(pinned.name)
        except PackageNotFoundError:  # of an extra that is not installed
            continue
        if not pinned.specifier.contains(installed, prereleases=True):
            yield Finding(
                "package",
                pinned.name,
                f"{installed} is installed, and {LOCKED} says {pinned.specifier}",
                f"Run `pip install --require-hashes -r {LOCKED}`.",
            )


def check_disk(cache: Path) -> Iterator[Finding]:
    """Whether there is room in the tree, in DVC's cache and in the user's."""
    seen = set()
    for place in (Path(), cache, cache_folder("features")):
        there = next(p for p in [place.absolute(), *place.absolute().parents] if p.exists())
        free, device = shutil.disk_usage(there).free, there.stat().st_dev
        if free < DISK_BYTES and device not in seen:
            what = f"{free / 1e6:,.0f} MB are free, under {DISK_BYTES / 1e6:,.0f}"
            yield Finding("disk", str(there), what, "Free disk space (`dvc gc -w`).")
        seen.add(device)


def check_open_files() -> Iterator[Finding]:
    """Whether a process may open as many files as a run needs."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= limit < OPEN_FILES:
        what = f"a process may open {limit}, under {OPEN_FILES}"
        yield Finding("open-files", "open files", what, f"Run `ulimit -n {OPEN_FILES}`.")
