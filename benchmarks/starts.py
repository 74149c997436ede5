"""CPU seconds of the ladder of digits, of the work tree's commit against another revision.

    python -m benchmarks.starts main~10              three rounds
    python -m benchmarks.starts main~10 --rounds 1

On digits four of the seven stages start TensorFlow for what then takes seconds. In a clone of
each revision, with a cache of its own, each stage runs as `dvc repro --force` would run it, one
revision after the other; counted are its user and system seconds, whatever else the machine does.
At the end it says which files are not the same bytes. Ten minutes a round.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.__main__ import ROOT, ROUNDS
from benchmarks.processors import contents

STAGES = (
    "download", "preprocess", "baseline", "train_ann", "train_cnn", "train_transfer", "evaluate",
)  # fmt: skip


def cloned(revision: str, folder: Path) -> Path:
    """Return a clone of this repository at a revision."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "checkout", "-q", "--detach", revision], cwd=folder, check=True)
    return folder


def seconds_of(folder: Path, stage: str) -> float:
    """Return the user and system seconds that a stage takes in a clone."""
    environment = os.environ | {"PYTHONPATH": str(folder), "LOOKBOOK_CACHE": str(folder / ".cache")}
    environment.pop("LOOKBOOK_MIRROR", None)
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", f"stages.{stage}"]
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            said.seek(0)
            sys.exit(f"{said.read().decode()}error: {stage} failed in {folder}")
    return used.ru_utime + used.ru_stime


def row(name: str, seconds: list[float]) -> str:
    """Return a line of the table: before, after, their ratio."""
    before, after = seconds
    return f"{name:16}{before:8.1f}{after:8.1f}{after / before:8.2f}"


def main() -> None:
    """Run both revisions in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("revision", help="to compare with")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        before = cloned(arguments.revision, Path(temporary, "before"))
        after = cloned("HEAD", Path(temporary, "after"))
        sums, different = [0.0, 0.0], []
        print(f"{'CPU seconds':16}{'before':>8}{'after':>8}{'ratio':>8}", flush=True)
        for stage in STAGES:
            rounds = [
                [seconds_of(folder, stage) for folder in (before, after)]
                for _ in range(arguments.rounds)
            ]
            medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
            sums = [total + median for total, median in zip(sums, medians, strict=True)]
            print(row(stage, medians), flush=True)
            old, new = (contents(folder, stage) for folder in (before, after))
            different += [name for name in old | new if old.get(name) != new.get(name)]
        print(row("together", sums))
    print(f"not the same bytes: {', '.join(different) or 'none'}")


if __name__ == "__main__":
    main()
