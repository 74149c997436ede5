"""Is the cross-validated figure of a small set that which other splits of it would have given?

Draws 200 photos of cats and dogs, splits them 20 times, and runs preprocess, baseline and
train_transfer, with the default parameters, on each split. The mean accuracy on the 20 test
splits of 40 photos is what a cross-validated figure should be near, which each split gives from its
other 160. Says too how the linear classifier that stands for the head in cross-validation differs
from the head, on validation photos.

    python -m benchmarks.small_sets              10 minutes
"""

import json
import os
import random
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import yaml

from lookbook.datasets.cards import card_path
from lookbook.experiments.recipes import merged
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import read_yaml
from lookbook.ladder.models import load_model, predict
from lookbook.ladder.rungs import rung
from lookbook.splits.split import Split, training_splits
from lookbook.transfer.probe import features_of, fitted, frozen
from stages import baseline, download, preprocess, train_transfer

ROOT = Path(__file__).parents[1]
DATASET, SMALL = "cats_vs_dogs_sample", "small"
PHOTOS, SPLITS = 200, 20
STAGES = {"baseline": baseline, "train_transfer": train_transfer}


def set_params(**changes: object) -> None:
    """Write the project's parameters with changes."""
    params = merged(read_yaml(ROOT / "params.yaml"), changes)
    Path("params.yaml").write_text(yaml.safe_dump(params))


def draw_photos() -> None:
    """Put a card of 200 photos beside that of all, and their archive in the other's place."""
    card = read_yaml(card_path(DATASET))
    content = card["files"][0] | {"name": f"{SMALL}.zip"}
    card_path(SMALL).write_text(yaml.safe_dump(card | {"files": [content]}))
    (published,) = Path("data/raw").glob("*.zip")
    with (
        zipfile.ZipFile(published) as archive,
        zipfile.ZipFile(f"data/raw/{SMALL}.zip", "w") as small,
    ):
        names = [name for name in archive.namelist() if not name.endswith("/")]
        folders = sorted({Path(name).parent for name in names})
        for folder in folders:
            inside = sorted(name for name in names if Path(name).parent == folder)
            for name in random.Random(0).sample(inside, PHOTOS // len(folders)):
                small.writestr(name, archive.read(name))
    published.unlink()


def test_accuracy(stage: str) -> float:
    """Return the accuracy of a stage's model on the test split."""
    test, path = Split("test"), rung(stage).file
    return float((predict(load_model(path), test, path).argmax(axis=1) == test.labels).mean())


def probe_accuracy() -> float:
    """Return the validation accuracy of a linear classifier fitted to the training features."""
    train, validation = training_splits()
    extractor = frozen(load_params().train_transfer, train.spec)
    probe = fitted(features_of(extractor, train), train.labels)
    return float(probe.score(features_of(extractor, validation), validation.labels))


def main() -> None:
    """Split, run, compare; print the figures of each split and of all."""
    tested: dict[str, list[float]] = {stage: [] for stage in STAGES}
    crossed: dict[str, list[dict]] = {stage: [] for stage in STAGES}
    heads, probes = [], []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["LOOKBOOK_CACHE"] = str(Path(folder, "cache"))
        Path("data/cards").mkdir(parents=True)
        Path("data/bases").symlink_to(ROOT / "data/bases")
        for card in (ROOT / "data/cards").glob("*.yaml"):
            Path("data/cards", card.name).write_bytes(card.read_bytes())
        set_params(dataset=DATASET)
        download.main()
        draw_photos()
        for seed in range(SPLITS):
            set_params(dataset=SMALL, preprocess={"seed": seed})
            preprocess.main()
            for stage, module in STAGES.items():
                module.main()
                figures = json.loads(rung(stage).metrics.read_text())
                tested[stage].append(test_accuracy(stage))
                crossed[stage].append(figures["repeated_cv"])
                print(f"split {seed}, {stage}: {tested[stage][-1]:.4f} on the test split; "
                      f"{crossed[stage][-1]}", flush=True)  # fmt: skip
            heads.append(figures["validation_accuracy"])
            probes.append(probe_accuracy())
    for stage in STAGES:
        told(stage, np.array(tested[stage]), crossed[stage])
    difference = np.array(heads) - np.array(probes)
    print(
        f"validation accuracy: {np.mean(heads):.4f} of the head, {np.mean(probes):.4f} of the "
        f"linear classifier; the head is {difference.mean():+.4f} "
        f"+- {difference.std(ddof=1) / np.sqrt(SPLITS):.4f} against it"
    )


def told(stage: str, tested: np.ndarray, crossed: list[dict]) -> None:
    """Print how near the cross-validated figures are to the mean test figure."""
    figures = np.array([entry["accuracy"] for entry in crossed])
    mean = tested.mean()
    held = np.mean([entry["low"] <= mean <= entry["high"] for entry in crossed])
    print(
        f"{stage}: mean test accuracy of {SPLITS} splits {mean:.4f}, single ones from "
        f"{tested.min():.4f} to {tested.max():.4f}; cross-validated {figures.mean():.4f} on "
        f"average ({figures.mean() - mean:+.4f}), single ones from {figures.min():.4f} to "
        f"{figures.max():.4f}; farthest from the mean test accuracy: "
        f"{np.abs(tested - mean).max():.4f} a test split, {np.abs(figures - mean).max():.4f} "
        f"cross-validation, whose interval held it in {held:.0%}"
    )


if __name__ == "__main__":
    main()
