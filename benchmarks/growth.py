"""How do preprocess and baseline grow with the number of pictures?

Each set is made of JPEGs of 96 pixels, cut at random from the photos of the cats sample, and taken
to 64 pixels by preprocess. Each stage has a process of its own, whose processor time, memory and
files are told. A line in n and n^2 is fitted to the times of each, and says what a million would
take.

    python -m benchmarks.growth                10,000, 50,000 and 200,000 pictures
    python -m benchmarks.growth 10000 20000    others

Needs LOOKBOOK_MIRROR, for the photos, and 4 GB of disk.
"""

import io
import multiprocessing
import os
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
STAGES = {"preprocess": "data/processed", "baseline": "models"}  # and what each leaves


def photos() -> list[tuple[str, Image.Image]]:
    """Return the photos of the sample, each with its class."""
    mirror = os.environ.get("LOOKBOOK_MIRROR", "mirror")
    with zipfile.ZipFile(Path(mirror, PHOTOS)) as archive:
        names = [name for name in archive.namelist() if is_picture(name)]
        opened = (Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names)
        return [
            (Path(name).parent.name.lower(), photo)
            for name, photo in zip(names, opened, strict=True)
        ]


def make(folder: Path, count: int) -> None:
    """Write a project of as many pictures: parameters, card and archive."""
    sources = photos()

    def cut(number: int) -> bytes:
        rng = np.random.default_rng(number)
        source = sources[number % len(sources)][1]
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
            archive.writestr(f"{sources[number % len(sources)][0]}/{number}.jpg", content)
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


def measured(folder: Path, stage: str) -> tuple[float, float, int]:
    """Run a stage; return processor seconds, peak MB and number of files."""
    command = [sys.executable, "-m", f"stages.{stage}"]
    path = {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=os.environ | path, stderr=subprocess.PIPE)
    assert process.stderr
    complaints = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(complaints.decode())
    files = sum(path.is_file() for path in (folder / STAGES[stage]).rglob("*"))
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, files


def fitted(counts: list[int], seconds: list[float]) -> str:
    """Return what a start, a term in n and one in n^2 come to, and what a million would take."""
    n = np.array(counts, float)
    terms = np.column_stack([np.ones_like(n), n, n**2]) / np.array(seconds)[:, None]
    start, linear, square = np.linalg.lstsq(terms, np.ones_like(n))[0]
    minutes = (start + linear * MILLION + square * MILLION**2) / 60
    line = f"{start:.1f} s + {1e3 * linear:.3f} ms x n + {1e9 * square:.2f} ns x n^2"
    return f"{line}; a million: {minutes:.1f} CPU minutes"


def main() -> None:
    """Measure each size and fit."""
    counts = [int(word) for word in sys.argv[1:]] or list(COUNTS)
    seconds: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            # A process of its own: what starts another hands its peak of memory on.
            maker = multiprocessing.Process(target=make, args=(Path(folder), count))
            maker.start()
            maker.join()
            for stage, taken in seconds.items():
                used, peak, files = measured(Path(folder), stage)
                taken.append(used)
                told = f"{used:.1f} CPU s, {peak:,.0f} MB, {files} files"
                print(f"{stage}, {count:,} pictures: {told}", flush=True)
    if len(counts) > 2:
        for stage, taken in seconds.items():
            print(f"{stage}: {fitted(counts, taken)}")


if __name__ == "__main__":
    main()
