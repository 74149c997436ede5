"""Does the interval of a learning curve hold what more photos bring?

For each of 20 seeds the training and validation photos of a sample are shared out anew. The curve
is that of half of the training photos; then all of them are learnt from, and the accuracy is
measured on the same validation photos. Test photos are not looked at.

    python -m benchmarks.learning_curve                     both samples, ten minutes
    python -m benchmarks.learning_curve flowers_sample

Needs LOOKBOOK_MIRROR, for the samples.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml

from lookbook.experiments.recipes import merged
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import read_yaml
from lookbook.planning.measuring import on_features
from lookbook.planning.power_law import fit_power_law
from lookbook.planning.shares import Share, drawn
from lookbook.splits.split import training_splits
from lookbook.transfer.probe import features_of, fitted, frozen
from stages import download, preprocess

ROOT = Path(__file__).parents[1]
SAMPLES = ["cats_vs_dogs_sample", "flowers_sample"]
SETTINGS = {"preprocess": {"image_size": 160}}
SEEDS = 20


def prepared(dataset: str) -> tuple[np.ndarray, np.ndarray, float, list[str]]:
    """Return features and labels of training and validation photos, the former's share, names."""
    params = merged(read_yaml(ROOT / "params.yaml"), SETTINGS | {"dataset": dataset})
    Path("params.yaml").write_text(yaml.safe_dump(params))
    download.main()
    preprocess.main()
    splits = training_splits()
    extractor = frozen(load_params().train_transfer, splits[0].spec)
    features = np.concatenate([features_of(extractor, split) for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    return features, labels, len(splits[0]) / len(labels), splits[0].spec.class_names


def forecast(
    features: np.ndarray, labels: np.ndarray, share: float, class_names: list[str], seed: int
) -> tuple[float, float, float, float]:
    """Return accuracy with half of the training photos, the interval for all, and what all bring.

    Args:
        features: Of all photos but those of the test, float32 of shape (n, features).
        labels: int of shape (n,).
        share: Of them that are for training.
        class_names: In label order.
        seed: Of the two draws, and of those of the curve.
    """
    train = next(drawn(labels, Share(share, 1), seed))
    held_out = np.setdiff1d(np.arange(len(labels)), train)
    half = train[next(drawn(labels[train], Share(0.5, 1), seed))]
    validation = features[held_out], labels[held_out]
    photos, accuracies = on_features((features[half], labels[half]), validation, class_names, seed)
    low, high = fit_power_law(photos, accuracies, len(held_out)).interval(len(train))
    said = fitted(features[train], labels[train]).predict(validation[0])
    return float(accuracies[-1][0]), low, high, float((said == validation[1]).mean())


def main() -> None:
    """Forecast and measure; print each interval, how many hold, and how wide they are."""
    chosen = sys.argv[1:] or SAMPLES
    if not set(chosen) <= set(SAMPLES):
        sys.exit(f"error: Expected samples out of {', '.join(SAMPLES)}. Received: {chosen}.")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("data").mkdir()
        for name in ("bases", "cards"):
            Path("data", name).symlink_to(ROOT / "data" / name)
        for dataset in chosen:
            held, widths = [], []
            known = prepared(dataset)
            for seed in range(SEEDS):
                now, low, high, then = forecast(*known, seed)
                held.append(low <= then <= high)
                widths.append(high - low)
                print(
                    f"{dataset}, seed {seed}: {now:.4f} with half; {low:.4f} to {high:.4f} "
                    f"expected with all, {then:.4f} measured{'' if held[-1] else ': outside'}",
                    flush=True,
                )
            print(
                f"{dataset}: {sum(held)} of {SEEDS} inside; {np.mean(widths):.4f} wide, at most "
                f"{max(widths):.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
