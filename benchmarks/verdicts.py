"""How often is a difference that is only the seed's called better or worse?

Trains a network on digits with 21 seeds and compares each with the next, which makes 20 pairs; then
a train_cnn of one epoch with the default one, which should be called worse.

    python -m benchmarks.verdicts                20 minutes
"""

import os
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

from lookbook.evaluation.significance import Comparison, compare
from lookbook.experiments.recipes import merged
from lookbook.foundation.schema import read_yaml
from lookbook.ladder.models import load_model, predict
from lookbook.splits.split import Split
from stages import download, preprocess, train_ann, train_cnn

ROOT = Path(__file__).parents[1]
STAGES = {"train_ann": train_ann, "train_cnn": train_cnn}
SEEDS = 21


def right_with(stage: str, settings: dict) -> np.ndarray:
    """Train with changed settings; return whether each test picture is given its class."""
    params = merged(read_yaml(ROOT / "params.yaml"), {stage: settings})
    Path("params.yaml").write_text(yaml.safe_dump(params))
    STAGES[stage].main()
    path, test = Path(f"models/{stage}.keras"), Split("test")
    return predict(load_model(path), test, path).argmax(axis=1) == test.labels


def main() -> None:
    """Train and compare; print each verdict and how often it was given."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("data").mkdir()
        Path("data/cards").symlink_to(ROOT / "data/cards")
        Path("params.yaml").symlink_to(ROOT / "params.yaml")
        download.main()
        preprocess.main()
        Path("params.yaml").unlink()
        for stage in STAGES:
            models = [right_with(stage, {"seed": seed}) for seed in range(SEEDS)]
            told(f"{stage}, another seed", [compare(*pair) for pair in pairwise(models)])
        short = right_with("train_cnn", {"epochs": 1})
        told("train_cnn, one epoch against the default", [compare(models[0], short)])


def told(title: str, pairs: list[Comparison]) -> None:
    """Print the verdicts."""
    for pair in pairs:
        print(f"{title}: {pair}", flush=True)
    counts = Counter(pair.verdict for pair in pairs)
    print(f"{title}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}")


if __name__ == "__main__":
    main()
