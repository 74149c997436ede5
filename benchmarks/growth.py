"""How does preprocess grow with the number of pictures?

Each set is made of JPEGs of 96 pixels, cut at random from the photos of the cats sample, and taken
to 64 pixels by the stage, in a process of its own. A line in n and n^2 is fitted to the processor
time, and says what a million would take.

    python -m benchmarks.growth                10,000, 50,000 and 200,000 pictures
    python -m benchmarks.growth 10000 20000    others

Needs LOOKBOOK_MIRROR, for the photos, and 4 GB of disk.
"""

import io
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from lookbook.datasets.archives import is_picture
from lookbook.experiments.recipes import merged
from lookbook.foundation.parallel import in_parallel
from lookbook.foundation.schema import read_yaml

ROOT = Path(__file__).parents[1]
PHOTOS = "samples/cats_vs_dogs_sample.zip"
COUNTS = (10_000, 50_000, 200_000)
MILLION = 1_000_000
SIDE, IMAGE_SIZE = 96, 64
ARCHIVE = "growth.zip"


def photos() -> list[Image.Image]:
    """Return the photos of the sample."""
    mirror = os.environ.get("LOOKBOOK_MIRROR", "mirror")
    with zipfile.ZipFile(Path(mirror, PHOTOS)) as archive:
        names = [name for name in archive.namelist() if is_picture(name)]
        return [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]


def make(folder: Path, count: int) -> None:
    """Write a project of as many pictures: parameters, card and archive."""
    sources = photos()

    def cut(number: int) -> bytes:
        rng = np.random.default_rng(number)
        source = sources[number % len(sources)]
        side = int(rng.integers(min(SIDE, *source.size), min(source.size) + 1))
        left, top = (int(rng.integers(0, length - side + 1)) for length in source.size)
        picture = source.resize((SIDE, SIDE), box=(left, top, left + side, top + side))
        with io.BytesIO() as file:
            picture.save(file, "JPEG", quality=85)
            return file.getvalue()

    raw = folder / "data/raw"
    raw.mkdir(parents=True)
    with zipfile.ZipFile(raw / ARCHIVE, "w") as archive:
        for number, content in enumerate(in_parallel(cut, range(count))):
            archive.writestr(f"{'cat' if number % 2 else 'dog'}/{number}.jpg", content)
    card = {
        "title": "Growth",
        "licence": "none",
        "homepage": "none",
        "classes": ["cat", "dog"],
        "files": [{"name": ARCHIVE, "bytes": (raw / ARCHIVE).stat().st_size, "sha256": "0" * 64}],
        "source": {"kind": "mirror", "folder": "samples"},
        "reader": {"kind": "images", "channels": 3},
    }
    (folder / "data/cards").mkdir()
    (folder / "data/cards/growth.yaml").write_text(yaml.safe_dump(card))
    settings = {"dataset": "growth", "preprocess": {"image_size": IMAGE_SIZE}}
    params = merged(read_yaml(ROOT / "params.yaml"), settings)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


def measured(folder: Path) -> tuple[float, float, int]:
    """Run the stage; return processor seconds, peak MB and number of files."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "stages.preprocess"]
    path = {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=os.environ | path, stderr=subprocess.PIPE)
    _, complaints = process.communicate()
    if process.returncode:
        sys.exit(complaints.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    files = sum(path.is_file() for path in (folder / "data/processed").rglob("*"))
    return seconds, after.ru_maxrss / 1024, files


def main() -> None:
    """Measure each size and fit."""
    counts = [int(word) for word in sys.argv[1:]] or list(COUNTS)
    seconds = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            # A process of its own: what starts another hands its peak of memory on.
            maker = multiprocessing.Process(target=make, args=(Path(folder), count))
            maker.start()
            maker.join()
            taken, peak, files = measured(Path(folder))
        seconds.append(taken)
        print(f"{count:,} pictures: {taken:.1f} CPU s, {peak:,.0f} MB, {files} files", flush=True)
    if len(counts) > 2:
        n = np.array(counts, float)
        terms = np.column_stack([np.ones_like(n), n, n**2]) / np.array(seconds)[:, None]
        start, linear, square = np.linalg.lstsq(terms, np.ones_like(n))[0]
        million = start + linear * MILLION + square * MILLION**2
        print(f"{start:.1f} s + {1e3 * linear:.3f} ms x n + {1e9 * square:.2f} ns x n^2")
        print(f"a million: {million / 60:.1f} CPU minutes")


if __name__ == "__main__":
    main()
