"""Does the interval of a search hold what its best brings on new pictures?

For each of 20 seeds 4,000 pictures of Fashion-MNIST's published training split are drawn, 2,000 to
learn from and 2,000 to choose by, and searched as `lookbook search` does, with the same proposals,
pruning and report; a dense network of scikit-learn takes the stage's place, which learns in a
second, and like the stage keeps its best epoch on validation data. The best is then asked about
10,000 other pictures of the same split. Test pictures are not looked at.

    python -m benchmarks.search          20 searches of 30 trials: some minutes
    python -m benchmarks.search 3 10     3 searches of 10 trials

Needs LOOKBOOK_MIRROR, or the network, for the data.
"""

import copy
import json
import os
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
import yaml
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from lookbook.experiments.recipes import merged
from lookbook.experiments.search import Search, Tried
from lookbook.experiments.space import Choices, Parameter, Range, Space
from lookbook.experiments.trials import Outcome, Watch
from lookbook.experiments.verdict import verdict_on
from lookbook.foundation.schema import read_yaml
from lookbook.splits.split import training_splits
from stages import download, preprocess

ROOT = Path(__file__).parents[1]
SEARCHES, TRIALS = 20, 30
LEARNT, CHOSEN_BY, NEW = 2_000, 2_000, 10_000
SIDE, EPOCHS = 14, 8
SPACE = Space(
    "train_ann",
    (
        Parameter("hidden", Choices(choices=[[32], [64], [32, 32]])),
        Parameter("learning_rate", Range(low=1e-4, high=3e-2, log=True)),
        Parameter("weight_decay", Range(low=1e-4, high=10, log=True)),
        Parameter("batch_size", Choices(choices=[64, 128, 256])),
    ),
)
DEFAULTS = {"hidden": [32], "learning_rate": 1e-3, "weight_decay": 1e-2, "batch_size": 128}

Pictures = tuple[np.ndarray, np.ndarray]  # float32 (n, pixels) from 0 to 1, and labels (n,)


class Here:
    """Runs trials in this process; keeps their networks, by name."""

    def __init__(self, train: Pictures, validation: Pictures):
        self.train, self.validation = train, validation
        self.networks: dict[str, MLPClassifier] = {}

    def try_out(self, name: str, settings: dict, watch: Watch) -> Outcome:
        """Fit a network; see `lookbook.experiments.trials.Place`."""
        chosen = settings["train_ann"]
        network = MLPClassifier(
            chosen["hidden"],
            learning_rate_init=chosen["learning_rate"],
            alpha=chosen["weight_decay"],
            batch_size=chosen["batch_size"],
            random_state=0,
        )
        (pixels, labels), (others, truth) = self.train, self.validation
        least = np.inf
        for epoch in range(1, EPOCHS + 1):
            network.partial_fit(pixels, labels, classes=np.arange(10))
            said = network.predict_proba(others)
            loss = log_loss(truth, said, labels=np.arange(10))
            if loss < least:
                least, right = loss, said.argmax(axis=1) == truth
                self.networks[name] = copy.deepcopy(network)
            if not watch(epoch, float((said.argmax(axis=1) == truth).mean())):
                return Outcome(epoch, 0.0)
        return Outcome(EPOCHS, 0.0, right=right)


def fashion() -> Pictures:
    """Return the pictures of Fashion-MNIST that are not for tests."""
    settings = {"dataset": "fashion_mnist", "preprocess": {"image_size": SIDE}}
    Path("params.yaml").write_text(
        yaml.safe_dump(merged(read_yaml(ROOT / "params.yaml"), settings))
    )
    download.main()
    preprocess.main()
    splits = training_splits()
    images = [split.images(np.arange(len(split))) for split in splits]
    pixels = np.concatenate(images).reshape(sum(map(len, splits)), -1).astype(np.float32) / 255
    return pixels, np.concatenate([split.labels for split in splits])


def searched(pixels: np.ndarray, labels: np.ndarray, seed: int, trials: int) -> dict[str, float]:
    """Search on a draw of the pictures.

    Returns:
        The best's figure on validation pictures, what is expected of it on new ones with the
        interval, what it has on new ones, and how many trials were pruned.
    """
    rows = np.random.default_rng(seed).permutation(len(labels))
    train, validation, new = np.split(
        rows[: LEARNT + CHOSEN_BY + NEW], [LEARNT, LEARNT + CHOSEN_BY]
    )
    place = Here((pixels[train], labels[train]), (pixels[validation], labels[validation]))
    baseline = place.try_out("HEAD", {"train_ann": DEFAULTS}, lambda *_: True)
    with tempfile.TemporaryDirectory() as folder:
        search = Search("search", Path(folder), SPACE, seed=seed, baseline=baseline)
        search.run(trials, [place], lambda trial: None, threading.Event())
        tried = search.tried()
    finished: list[Tried] = [trial for trial in tried if trial.right is not None]
    verdict = verdict_on(np.stack([search.before, *(trial.right for trial in finished)]))
    best = ["HEAD", *(trial.name for trial in finished)][verdict.best]
    low, high = verdict.expected.low, verdict.expected.high
    return {
        "validation": verdict.figure,
        "expected": verdict.expected.figure,
        "low": low,
        "high": high,
        "new": float((place.networks[best].predict(pixels[new]) == labels[new]).mean()),
        "pruned": len(tried) - len(finished),
    }


def main() -> None:
    """Search and measure; print each interval, how many hold, and how wide they are."""
    searches, trials = (int(word) for word in sys.argv[1:] or (SEARCHES, TRIALS))
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("data").mkdir()
        for name in ("bases", "cards"):
            Path("data", name).symlink_to(ROOT / "data" / name)
        known = fashion()
        for seed in range(searches):
            row = searched(*known, seed, trials)
            rows.append(row)
            holds = row["low"] <= row["new"] <= row["high"]
            said = json.dumps({key: round(value, 4) for key, value in row.items()})
            print(f"seed {seed}: {said}{'' if holds else ': outside'}", flush=True)
        os.chdir(ROOT)
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    held = (columns["low"] <= columns["new"]) & (columns["new"] <= columns["high"])
    widths = columns["high"] - columns["low"]
    print(
        f"{held.sum()} of {searches} inside; {widths.mean():.4f} wide, at most {widths.max():.4f}; "
        f"the best's own figure is {(columns['validation'] - columns['new']).mean():+.4f} off, the "
        f"expected one {(columns['expected'] - columns['new']).mean():+.4f}"
    )


if __name__ == "__main__":
    main()
