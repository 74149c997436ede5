"""Do answers keep their promises, and are strangers told?

    python -m benchmarks.answers [NAME=FOLDER ...]

in a clone whose pipeline has run. Two tables:

- The share of pictures whose true class is in question, where validation and test pictures together
  are halved at random 500 times: thresholds from one half, coverage on the other. Beside it the
  coverage of the test split as it is, and the bounds between which 95 of 100 such splits lie if the
  promise holds (the number of test pictures and of validation pictures both count: a beta-binomial
  distribution, Angelopoulos and Bates, arXiv 2107.07511).
- What share of the test pictures is kept, and of the pictures of another world caught, at the
  thresholds as they are; and the area under the ROC curve. NAME=FOLDER adds the test split in a
  folder `data/processed` of another clone; noise and the test pictures turned inside out (255 - x)
  are always there.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import betabinom
from sklearn.metrics import roc_auc_score

from lookbook.drawing.tables import as_markdown
from lookbook.evaluation.calibration import fit_temperature, with_temperature
from lookbook.evaluation.doubt import conformal_quantile, load_doubt
from lookbook.evaluation.predictions import prediction_file, read_predictions
from lookbook.ladder.models import load_model
from lookbook.ladder.rungs import RUNGS
from lookbook.pictures.decoding import Form, given
from lookbook.splits.split import Split

COVERAGES = (0.9, 0.95, 0.99)
HALVES = 500
STRANGERS = 2000  # of another data set, at most


def coverage(model: str, promised: float) -> dict[str, str]:
    """Return what a promise came to."""
    validation, test = (
        read_predictions(prediction_file(model, split), split) for split in ("validation", "test")
    )
    labels = np.concatenate([validation.labels, test.labels])
    said = np.concatenate([validation.probabilities, test.probabilities])
    temperature = fit_temperature(validation.labels, validation.probabilities)
    missed = 1 - with_temperature(said, temperature)[np.arange(len(labels)), labels]
    known, rng, shares = len(validation), np.random.default_rng(0), []
    for _ in range(HALVES):
        order = rng.permutation(len(labels))
        threshold = conformal_quantile(missed[order[:known]], promised)
        shares.append((missed[order[known:]] <= threshold).mean())
    actual = (missed[known:] <= conformal_quantile(missed[:known], promised)).mean()
    beyond = int(np.floor((known + 1) * (1 - promised)))
    band = betabinom(len(test), known + 1 - beyond, max(beyond, 1)).ppf([0.025, 0.975]) / len(test)
    return {
        "model": model,
        "promised": f"{promised:.2f}",
        "mean of 500 halves": f"{np.mean(shares):.4f}",
        "the split as it is": f"{actual:.4f}",
        "95 % band": f"{band[0]:.4f}-{band[1]:.4f}",
    }


def strangers(folders: dict[str, Path]) -> dict[str, np.ndarray]:
    """Return pictures of other worlds in the form of this one, uint8, by name."""
    test, rng = Split("test"), np.random.default_rng(0)
    pixels = test.images(np.arange(len(test)))
    noise = rng.integers(0, 256, (1000, *test.image_shape), np.uint8)
    form = Form(test.image_shape[0], test.image_shape[2], "stretch")
    found = {"noise": noise, "inside out": 255 - pixels[:STRANGERS]}
    for name, folder in folders.items():
        other = Split("test", folder)
        some = rng.permutation(len(other))[:STRANGERS]
        shaped = [given(picture, form)[0] for picture in other.images(np.sort(some))]
        found[name] = np.stack(shaped).reshape(-1, *test.image_shape)
    return found


def told(sets: dict[str, np.ndarray]) -> list[dict[str, str]]:
    """Return how well each model tells them."""
    rows = []
    for rung in RUNGS:
        doubt, model = load_doubt(rung.name), load_model(rung.file)
        usual = read_predictions(prediction_file(rung.name, "test"), rung.name).strangeness
        row = {"model": rung.name, "kept": f"{(usual <= doubt.most_strangeness).mean():.3f}"}
        for name, pixels in sets.items():
            parts = np.array_split(pixels, max(1, len(pixels) // 200))
            strange = np.concatenate([doubt.strangeness.of(model.look(part)[0]) for part in parts])
            caught = (strange > doubt.most_strangeness).mean()
            truth = np.repeat([0, 1], [len(usual), len(strange)])
            area = roc_auc_score(truth, np.concatenate([usual, strange]))
            row[name] = f"{caught:.3f} (AUROC {area:.3f})"
        rows.append(row)
    return rows


def main() -> None:
    """Print both tables."""
    folders = dict(argument.split("=", 1) for argument in sys.argv[1:])
    promises = [coverage(rung.name, promised) for rung in RUNGS for promised in COVERAGES]
    print(as_markdown(pd.DataFrame(promises)), end="\n\n")
    sets = strangers({name: Path(folder) for name, folder in folders.items()})
    print(as_markdown(pd.DataFrame(told(sets))))


if __name__ == "__main__":
    main()
