"""How many flipped labels are among the first suspects of `lookbook review`?

Flips 3 % of the training and validation labels of a set, drawn with a seed, each to another class,
and looks at as many first suspects as were flipped.

    python -m benchmarks.labels                  all three sets
    python -m benchmarks.labels flowers_sample   some

Needs the samples, from LOOKBOOK_MIRROR. Wrong labels that the sets have of their own count against
the figure.
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from lookbook.experiments.recipes import merged
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import read_yaml
from lookbook.review.finding import neighbours, probabilities, suspects
from lookbook.review.reviewing import extractor_for
from lookbook.splits.split import Split
from lookbook.transfer.probe import features_of
from stages import download, preprocess

ROOT = Path(__file__).parents[1]
SIZES = {"cats_vs_dogs_sample": 160, "flowers_sample": 128, "fashion_mnist": 28}  # pixels
EXPECTED = {"cats_vs_dogs_sample": 0.80, "flowers_sample": 0.55, "fashion_mnist": 0.70}
BASE = {"base": "photos"}
SHARE, SEEDS = 0.03, 3


def flip(labels: np.ndarray, num_classes: int, seed: int) -> np.ndarray:
    """Return the labels with `SHARE` of them changed, each to another class."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(labels), round(SHARE * len(labels)), replace=False)
    flipped = labels.copy()
    flipped[rows] = (labels[rows] + rng.integers(1, num_classes, len(rows))) % num_classes
    return flipped


def measure(dataset: str) -> None:
    """Prepare a set in the current folder; print the share for each seed, and the seconds."""
    changes = {
        "dataset": dataset,
        "preprocess": {"image_size": SIZES[dataset]},
        "train_transfer": BASE,
    }
    params = merged(read_yaml(ROOT / "params.yaml"), changes)
    Path("params.yaml").write_text(yaml.safe_dump(params))
    download.main()
    preprocess.main()
    splits = [Split("train"), Split("validation")]
    classes, labels = splits[0].spec.num_classes, np.concatenate([s.labels for s in splits])
    start = time.perf_counter()
    extractor = extractor_for(load_params().train_transfer, splits[0].spec, len(labels))
    features = np.concatenate([features_of(extractor, split) for split in splits])
    print(f"{dataset}: features {time.perf_counter() - start:.0f} s", flush=True)
    start, shares = time.perf_counter(), []
    rows, distances = neighbours(features, len(labels))
    print(f"{dataset}: neighbours {time.perf_counter() - start:.0f} s", flush=True)
    start = time.perf_counter()
    for seed in range(SEEDS):
        given = flip(labels, classes, seed)
        near = {"rows": rows, "distances": distances}
        first = suspects(given, probabilities(features, given, classes, **near, seed=seed))
        count = int((given != labels).sum())
        shares.append(float((given != labels)[first[:count]].sum() / count))
    seconds = (time.perf_counter() - start) / SEEDS
    listed = ", ".join(f"{share:.3f}" for share in shares)
    print(f"{dataset}: {listed} of the first {count} suspects, {seconds:.0f} s each; expected "
          f"{EXPECTED[dataset]:.2f}", flush=True)  # fmt: skip


def main() -> None:
    """Measure the sets named on the command line, or all."""
    names = sys.argv[1:] or list(SIZES)
    unknown = sorted(set(names) - set(SIZES))
    if unknown:
        sys.exit(f"error: Expected sets out of {', '.join(SIZES)}. Received: {unknown}.")
    for name in names:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            Path("data").mkdir()
            for name_of_folder in ("bases", "cards"):
                Path("data", name_of_folder).symlink_to(ROOT / "data" / name_of_folder)
            measure(name)


if __name__ == "__main__":
    main()
