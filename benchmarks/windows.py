"""Splits larger than memory: how fast is an epoch, and what does their shuffle cost in accuracy?

    python -m benchmarks.windows speed       10 minutes: root, control groups, 7 GB of disk
    python -m benchmarks.windows accuracy    an hour: LOOKBOOK_MIRROR, for Fashion-MNIST

`speed` lets a process have `LIMIT` of memory, pages of files included, and gives it a split of
twice that, and one of half that, which fits: what the pictures a second are of the input pipeline
alone, of one with the smallest network, and with the default train_cnn.

`accuracy` forces Fashion-MNIST into windows, an eighth of the split as those of 2 GiB are, and a
64th as those of 16 GiB are, in runs of as many pictures as runs have at 64 pixels, and also with
the classes one after the other, as folders give them. Each is trained with the same seeds as the
full shuffle, and judged by validation data.
"""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from lookbook.experiments.recipes import merged
from lookbook.foundation.arithmetic import settle
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import read_yaml
from lookbook.splits.spec import SPLITS, Scaling, Spec
from lookbook.splits.split import Split, training_splits
from lookbook.splits.writing import SplitWriter

ROOT = Path(__file__).parents[1]
GROUPS = Path("/sys/fs/cgroup")
GROUP = "lookbook-windows"
LIMIT = 3 * 2**30
SHAPE = (64, 64, 3)
SPEC = Spec(["a", "b"], SHAPE, Scaling("unit", [1 / 255] * 3, [0.0] * 3), False, {}, {})
SIZES = {"fits": LIMIT // 2, "twice": 2 * LIMIT}
CHUNKS = 40  # of train_cnn, which takes too long for an epoch
EXTRA = 5  # chunks that are not timed: the first compile

RUN = 5  # pictures, as at 64 pixels
CASES = {
    "windows of an eighth": (8, False),
    "windows of a 64th": (64, False),
    "windows of a 64th, classes one after the other": (64, True),
}
RUNS = {"train_ann": (8, 3), "train_cnn": (3, 3)}  # epochs and seeds


class Noise:
    """Writes a split of noise."""

    def __init__(self, folder: Path, size: int):
        """Write `size` bytes of pictures, and let go of their pages."""
        count = size // int(np.prod(SHAPE))
        rng = np.random.default_rng(0)
        writer = SplitWriter(folder / "train", SHAPE)
        for start in range(0, count, 1000):
            rows = range(start, min(start + 1000, count))
            pixels = rng.integers(0, 256, (len(rows), *SHAPE), np.uint8)
            ids = rng.integers(0, 2**63, len(rows))
            writer.append(list(pixels), [(f"{i:016x}", "", i % 2) for i in ids.tolist()])
        writer.finish()
        os.sync()
        for path in (folder / "train").iterdir():
            with path.open() as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.count = count


def control_group() -> tuple[Path, str]:
    """Return the folder of a control group to be made, and the file of its limit."""
    first = GROUPS / "memory"
    return (
        (first / GROUP, "memory.limit_in_bytes")
        if first.is_dir()
        else (GROUPS / GROUP, "memory.max")
    )


def speed() -> None:
    """Measure each size in a process with little memory."""
    group, limit = control_group()
    group.mkdir()
    try:
        (group / limit).write_text(str(LIMIT))
        for name, size in SIZES.items():
            with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
                count = Noise(Path(folder), size).count
                print(f"{name}: {count:,} pictures, {size / 2**30:.1f} GiB", flush=True)
                command = [sys.executable, "-m", "benchmarks.windows", "timed", folder, str(count)]
                subprocess.run(command, check=True, cwd=ROOT)
    finally:
        group.rmdir()


def timed(folder: Path, count: int) -> None:
    """Join the group and measure one split."""
    settle()
    group, _ = control_group()
    (group / "cgroup.procs").write_text(str(os.getpid()))

    from lookbook.networks.architectures import build_ann, build_cnn
    from lookbook.training.augmentation import Augmentation
    from lookbook.training.batches import evaluation_batches, training_chunks
    from lookbook.training.devices import make_deterministic
    from lookbook.training.fitting import compiled

    params = load_params(ROOT / "params.yaml")
    split = Split("train", folder, replace(SPEC, counts=dict.fromkeys(SPLITS, count)))

    def told(name: str, counts: Iterator[int]) -> None:
        start, pictures = time.perf_counter(), sum(counts)
        rate = pictures / (time.perf_counter() - start)
        print(f"  {name}: {rate:,.0f} pictures a second", flush=True)

    batch = params.train_cnn.batch_size
    chunks, an_epoch = training_chunks(split, batch_size=batch, seed=0)
    drawn = iter(chunks)
    told("first epoch, nothing in memory", (len(next(drawn)[1]) for _ in range(an_epoch)))
    told("second epoch", (len(next(drawn)[1]) for _ in range(an_epoch)))
    told("in order, as validation", (len(y) for _, y in evaluation_batches(split)[0]))
    smallest = {"hidden": [], "batch_norm": False, "image_size": 8}
    make_deterministic(0)
    for name, build, settings, pictures, augmentation in (
        ("softmax regression on 8 pixels", build_ann, params.train_ann, an_epoch, None),
        ("default train_cnn", build_cnn, params.train_cnn, CHUNKS, params.train_cnn.augmentation),
    ):
        changed = settings.model_copy(update=smallest if build is build_ann else {})
        changed = changed.model_copy(update={"batch_size": batch})
        trainer = compiled(build(split.spec, changed), split, changed, in_chunks=True)
        drawn = iter(
            training_chunks(
                split,
                batch_size=batch,
                seed=0,
                augmentation=Augmentation.of(augmentation, split.spec) if augmentation else None,
            )[0]
        )
        step = trainer.make_train_function()
        for _ in range(EXTRA):
            step(drawn)
        counted = itertools.repeat(split.spec.counts["train"] / an_epoch, pictures)
        told(name, (step(drawn) and n for n in counted))


class Sorted:
    """A split with one class after the other."""

    def __init__(self, split: Split):
        """Sort it."""
        self.split, self._rows = split, np.argsort(split.labels, kind="stable")

    def __len__(self) -> int:
        return len(self._rows)

    def images(self, indices: np.ndarray) -> np.ndarray:
        """Return the pictures."""
        return self.split.images(self._rows[indices])

    read = images

    def targets(self, indices: np.ndarray) -> np.ndarray:
        """Return their classes."""
        return self.split.targets(self._rows[indices])

    def fingerprint(self) -> str:
        """Return what tells this from the split."""
        return f"sorted {self.split.fingerprint()}"


def accuracy() -> None:
    """Train with every seed and order; print what windows change."""
    from stages import download, preprocess

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("data").mkdir()
        Path("data/cards").symlink_to(ROOT / "data/cards")
        changed = merged(read_yaml(ROOT / "params.yaml"), {"dataset": "fashion_mnist"})
        Path("params.yaml").write_text(yaml.safe_dump(changed))
        download.main()
        preprocess.main()
        for stage, (epochs, seeds) in RUNS.items():
            compared(stage, epochs, seeds)


def compared(stage: str, epochs: int, seeds: int) -> None:
    """Train one network with every seed and order."""
    reached: dict[str, list[float]] = {"full": [], **{case: [] for case in CASES}}
    for seed, case in itertools.product(range(seeds), reached):
        reached[case].append(trained(stage, epochs, seed, case))
        print(f"{stage}, seed {seed}, {case}: {reached[case][-1]:.4f}", flush=True)
    for case, figures in reached.items():
        differences = np.subtract(figures, reached["full"])
        error = differences.std(ddof=1) / np.sqrt(seeds)
        print(
            f"{stage}, {epochs} epochs, {seeds} seeds, {case}: {statistics.mean(figures):.4f} "
            f"(single ones {min(figures):.4f} to {max(figures):.4f}), "
            f"{differences.mean():+.4f} +- {error:.4f} against the full shuffle",
            flush=True,
        )


def trained(stage: str, epochs: int, seed: int, case: str) -> float:
    """Return the validation accuracy of one training."""
    from lookbook.networks.architectures import build_ann, build_cnn
    from lookbook.training import batches, shuffling
    from lookbook.training.augmentation import Augmentation
    from lookbook.training.checkpoints import discard
    from lookbook.training.devices import make_deterministic
    from lookbook.training.fitting import fit

    batches.CHUNK_BATCHES = 1  # a window is at least a chunk
    train, validation = training_splits()
    settings = getattr(load_params(), stage).model_copy(update={"epochs": epochs, "seed": seed})
    settings = settings.model_copy(update={"class_weights": "none"})
    share, is_sorted = CASES.get(case, (0, False))
    if share:
        size = int(np.prod(train.image_shape))
        shuffling.LARGE_BYTES, shuffling.RUN_BYTES = 0, RUN * size
        shuffling.WINDOW_BYTES = len(train) * size // share
    else:
        shuffling.LARGE_BYTES = 2 * 2**30
    augmentation = None
    if stage == "train_cnn":
        augmentation = Augmentation.of(settings.augmentation, train.spec)
    make_deterministic(seed)
    build = {"train_ann": build_ann, "train_cnn": build_cnn}[stage]
    _, figures = fit(
        build(train.spec, settings),
        Sorted(train) if is_sorted else train,
        validation,
        settings,
        name=stage,
        augmentation=augmentation,
    )
    discard(stage)
    return figures["validation_accuracy"]


def main() -> None:
    """Run what is asked for."""
    match sys.argv[1:]:
        case ["timed", folder, count]:
            timed(Path(folder), int(count))
        case ["speed"]:
            speed()
        case ["accuracy"]:
            accuracy()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
