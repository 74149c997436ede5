"""Time `lookbook predict` on 10,000 photos against preparing them and running the model, apart.

    python -m benchmarks.predict MODEL.tflite

Apart: each file is read and prepared, then the model runs on what was prepared, both on all cores,
with nothing found, ordered or written. Lookbook: the command, in a process of its own, from a
folder to a CSV file. In turn, on the same JPEGs of 256 px, which are drawn for it; three of the
files are bad and must be listed. Then what a fresh process takes for one photo.
"""

import io
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lookbook.foundation.parallel import in_parallel
from lookbook.inference.classifier import Classifier
from lookbook.pictures.decoding import decoded
from lookbook.pictures.resizing import sharing_threads, use_opencv

COUNT, SIDE, DISTINCT = 10_000, 256, 200
BAD = {"bad-0.jpg": b"", "bad-1.jpg": b"no picture", "bad-2.jpg": b"\xff\xd8\xff\xe0"}
AT_ONCE = 16
ROUNDS = 5
# Runs a command, then says how many seconds it took and its peak memory in MB.
MEASURED = """
import resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(done.returncode)
"""


class Cost(NamedTuple):
    """What a process took: seconds, and its peak memory in MB; what it wrote to stderr."""

    seconds: float
    memory: float
    stderr: str


def write_photos(folder: Path) -> None:
    """Write the JPEGs: few that differ, since they are not told apart."""
    rng = np.random.default_rng(0)
    files = []
    for _ in range(DISTINCT):
        noise = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
        file = io.BytesIO()
        noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    for number in range(COUNT):
        (folder / f"{number:05}.jpg").write_bytes(files[number % DISTINCT])
    for name, content in BAD.items():
        (folder / name).write_bytes(content)


def apart(folder: Path, model: Path) -> float:
    """Return the seconds that preparation and the model take, one after the other."""
    classifier = Classifier(model)
    paths = sorted(folder.glob("[0-9]*.jpg"))

    def prepared(path: Path) -> np.ndarray:
        return decoded(path.read_bytes(), classifier.form)[0]

    def run(pixels: np.ndarray) -> object:
        with classifier._runner() as runner:
            return runner(pixels=pixels.reshape(1, *classifier.form.shape))

    use_opencv()
    start = time.perf_counter()
    with sharing_threads():
        pictures = list(in_parallel(prepared, paths, AT_ONCE))
        middle = time.perf_counter()
        for _ in in_parallel(run, pictures, AT_ONCE):
            pass
    end = time.perf_counter()
    print(f"apart: preparation {middle - start:.2f} s, model {end - middle:.2f} s")
    return end - start


def lookbook(*words: str | Path) -> Cost:
    """Return what the command takes."""
    command = [sys.executable, "-m", "lookbook", "predict", *map(str, words)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=True
    )
    seconds, memory = map(float, done.stdout.split())
    return Cost(seconds, memory, done.stderr)


def main() -> None:
    """Time both in turn and print the ratio, then a fresh process."""
    if len(sys.argv) != 2:
        sys.exit("Expected an exported model: python -m benchmarks.predict MODEL.tflite")
    model = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder, table = Path(name, "photos"), Path(name, "answers.csv")
        folder.mkdir()
        write_photos(folder)
        ratios, memories = [], []
        for number in range(ROUNDS):
            plain = apart(folder, model)
            cost = lookbook(folder, "--model", model, "--output", table, "--force")
            missing = [bad for bad in BAD if f"{bad}: " not in cost.stderr]
            if missing:
                sys.exit(f"Expected all bad files to be listed. Received: not {missing}.")
            ratios.append(cost.seconds / plain)
            memories.append(cost.memory)
            print(f"round {number + 1}: apart {plain:.2f} s, Lookbook {cost.seconds:.2f} s")
        print(
            f"Lookbook takes {statistics.median(ratios):.2f} x the time of both apart "
            f"({min(ratios):.2f}-{max(ratios):.2f}), {max(memories):.0f} MB at most; "
            f"{len(BAD)} bad files listed"
        )
        fresh = [lookbook(folder / "00000.jpg", "--model", model) for _ in range(ROUNDS)]
        seconds, memory = min(cost.seconds for cost in fresh), max(cost.memory for cost in fresh)
        print(f"a fresh process, one photo: {seconds:.2f} s, {memory:.0f} MB")


if __name__ == "__main__":
    main()
