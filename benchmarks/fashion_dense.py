"""Softmax regression on Fashion-MNIST: this project's training against the plain Keras script.

Both train Dense(10, softmax) with rmsprop on the same 48,000 pictures, 5 epochs of batches of 32,
and are measured on the same 12,000 validation pictures; each run is a process of its own, the two
kinds in turn.

    python -m benchmarks.fashion_dense        needs Fashion-MNIST: the network, or LOOKBOOK_MIRROR

On 2 cores (AMD EPYC, 2026): training alone 2.5-3.4 x faster, the whole process 1.6-2.0 x.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
ROUNDS = 3
SETTINGS = {
    "hidden": [],
    "optimizer": "rmsprop",
    "schedule": "constant",
    "batch_size": 32,
    "epochs": 5,
    "early_stopping": 0,
}


def plain() -> dict:
    """Train as the source's notebook does, in today's Keras with its defaults."""
    import keras

    from lookbook.splits import Split

    train, validation = Split("train"), Split("validation")
    (x_train, y_train), (x_validation, y_validation) = (
        (split.images(np.arange(len(split))) / 255, split.labels) for split in (train, validation)
    )
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(
        x_train,
        y_train,
        epochs=5,
        batch_size=32,
        validation_data=(x_validation, y_validation),
        verbose=2,
    ).history
    return {
        "seconds": time.perf_counter() - start,
        "validation_accuracy": history["val_accuracy"][-1],
    }


def lookbook() -> dict:
    """Train as the stage train_ann does."""
    from lookbook.networks import build_ann
    from lookbook.params import load_params
    from lookbook.splits import Split
    from lookbook.training import fit, make_deterministic

    settings = load_params().train_ann
    make_deterministic(settings.seed)
    train, validation = Split("train"), Split("validation")
    model = build_ann(train.spec, hidden=[], activation="relu", dropout=0.0)
    start = time.perf_counter()
    _, figures = fit(model, train, validation, settings, one_hot=False)
    return {
        "seconds": time.perf_counter() - start,
        "validation_accuracy": figures["validation_accuracy"],
    }


def prepare(folder: Path) -> None:
    """Make Fashion-MNIST's splits in `folder`, with the parameters of this benchmark."""
    (folder / "data").mkdir()
    shutil.copy(ROOT / "data/datasets.yaml", folder / "data")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["dataset"] = "fashion_mnist"
    params["train_ann"] |= SETTINGS
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    for stage in ("download", "preprocess"):
        run(folder, f"stages.{stage}")


def run(folder: Path, *module: str) -> tuple[float, str]:
    """Run a module in `folder`; return its wall time in seconds and the last line it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(done.returncode)
    return time.perf_counter() - start, done.stdout.strip().rpartition("\n")[2]


def main() -> None:
    """Measure both in turn; print the median ratios and their spread."""
    if len(sys.argv) > 1:
        print(json.dumps({"plain": plain, "lookbook": lookbook}[sys.argv[1]]()))
        return
    training, process = [], []
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for _ in range(ROUNDS):
            results, walls = {}, {}
            for kind in ("plain", "lookbook"):
                walls[kind], line = run(Path(folder), "benchmarks.fashion_dense", kind)
                results[kind] = json.loads(line)
                print(f"{kind}: {walls[kind]:.1f} s in all, {results[kind]}")
            training.append(results["plain"]["seconds"] / results["lookbook"]["seconds"])
            process.append(walls["plain"] / walls["lookbook"])
    for name, ratios in (("training alone", training), ("the whole process", process)):
        middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
        print(f"{name}: {middle:.2f} x faster than the plain script ({low:.2f}-{high:.2f})")


if __name__ == "__main__":
    main()
