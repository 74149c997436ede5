"""Time `lookbook doctor` against `md5sum` over the same files: what a look at every file costs.

    python -m benchmarks.doctor

In a clone of its own with 2 GB in DVC's cache and the same in the tree, files of 64 MB that the
memory holds. In pairs, in turn; the doctor must find nothing wrong. Its start, which takes a second
or two of imports, counts. Processor time is the figure to go by where other programs run, since
the doctor hashes on all cores and md5sum on one.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FILES, FILE_BYTES = 32, 64 * 10**6
PAIRS = 7


class Cost(NamedTuple):
    """What a process took: seconds of the clock, and of the processor, its children's too."""

    wall: float
    processor: float


def make(clone: Path) -> list[str]:
    """Make a clone with something downloaded; return its files that DVC keeps, in both places."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    raw = clone / "data/raw"
    raw.mkdir()
    for number in range(FILES):
        (raw / f"{number:02}.bin").write_bytes(os.urandom(FILE_BYTES))
    for command in ("dvc commit -q --force download", "git commit -qam download"):
        subprocess.run(command.split(), cwd=clone, check=True)
    found = [*raw.iterdir(), *(clone / ".dvc/cache/files/md5").glob("??/*")]
    return sorted(str(path.relative_to(clone)) for path in found)


def cost_of(command: list[str], clone: Path) -> Cost:
    """Return what a command takes; it must succeed."""
    start = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(clone)}
    process = subprocess.Popen(command, cwd=clone, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"Expected {' '.join(command[:4])} to succeed. Received: exit status {status}.")
    return Cost(wall, used.ru_utime + used.ru_stime)


def main() -> None:
    """Time both in turn, and print the ratios."""
    doctor = [sys.executable, "-m", "lookbook", "doctor"]
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name, "clone")
        files = make(clone)
        size = sum((clone / file).stat().st_size for file in files)
        print(f"{len(files)} files, {size / 1e9:.2f} GB, {os.cpu_count()} cores")
        ratios = []
        for number in range(PAIRS):
            plain, ours = cost_of(["md5sum", *files], clone), cost_of(doctor, clone)
            ratios.append(Cost(ours.wall / plain.wall, ours.processor / plain.processor))
            print(
                f"pair {number + 1}: md5sum {plain.wall:.1f} s, processor {plain.processor:.1f} s; "
                f"doctor {ours.wall:.1f} s, processor {ours.processor:.1f} s"
            )
    for kind, values in zip(("time", "processor time"), zip(*ratios, strict=True), strict=True):
        print(
            f"the doctor takes {statistics.median(values):.2f} x the {kind} of md5sum "
            f"({min(values):.2f}-{max(values):.2f})"
        )


if __name__ == "__main__":
    main()
