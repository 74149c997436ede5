"""Runs that were made up: splits of noise, and models that err at random."""

import dataclasses
import json

import numpy as np
import pandas as pd
from nasty import nasty_classes
from support import ROOT

from lookbook.evaluation.mistakes import confused_pairs, tiles, worst_mistakes
from lookbook.evaluation.predictions import predictions_for
from lookbook.evaluation.results import Result
from lookbook.evaluation.scores import guessing, score
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import Choice
from lookbook.ladder.rungs import RUNGS
from lookbook.pictures.likeness import GRID
from lookbook.preprocessing.audit import audit, write_tables
from lookbook.reporting.page import write_page
from lookbook.splits.headline import Headline
from lookbook.splits.spec import SPLITS, unscaled_spec, write_spec
from lookbook.splits.split import Split
from lookbook.splits.sums import write_sums
from lookbook.splits.writing import SplitWriter

ERRORS = (0.2, 0.1, 0.03, 0.05)  # shares of pictures that each model takes for another class
ANSWERS = {
    "coverage": 0.95, "covered": 0.94, "least_probability": 0.3, "kept": 0.99,
    "most_strangeness": 812.3, "answered": 0.7, "answered_right": 0.93, "unsure": 0.29,
    "strangers": 0.01,
}  # fmt: skip
COST = {"image_size": 8, "parameters": 7850, "file_bytes": 33_216}


def write_splits(folder, names, *, counts, side=8, channels=1):
    """Write splits of noise with so many training, validation and test pictures of each class."""
    rng = np.random.default_rng(0)
    rows = [(split, label) for split, count in enumerate(counts)
            for label in range(len(names)) for _ in range(count)]  # fmt: skip
    splits, labels = np.array(rows).T
    shape = (side, side, channels)
    pixels = rng.integers(0, 256, (len(rows), *shape), np.uint8)
    pixels[-1] = pixels[0]  # a leak
    ids = [f"{place:016x}" for place in range(len(rows) - 1)] + [f"{len(rows):016x}"]
    choices = {name: Choice(8, "of a reason") for name in ("image_size", "base", "class_weights")}
    spec = unscaled_spec(list(names), shape, False, splits)
    write_spec(folder, dataclasses.replace(spec, choices=choices, dropped={"unreadable": 2}))
    for place, name in enumerate(SPLITS):
        writer = SplitWriter(folder / name, shape)
        mine = np.flatnonzero(splits == place)
        writer.append(
            list(pixels[mine]), [(ids[row], f"{row}.png", int(labels[row])) for row in mine]
        )
        writer.finish()
    index = pd.DataFrame({"id": ids, "source": ids, "label": labels, "split": splits,
                          "width": side, "height": side})  # fmt: skip
    groups = np.full(len(rows), -1)
    groups[[0, -1]] = 0
    grids = np.resize(pixels.reshape(len(rows), -1), (len(rows), GRID, GRID)).astype(np.uint8)
    found = audit(index, grids, groups, list(names))
    write_tables(found.tables, folder)
    write_sums(folder)
    return found.figures | {"dropped": {"unreadable": 2}, "relabelled": dict.fromkeys(SPLITS, 0)}


def said(split, error, seed):
    """What a model says of a split that errs on so many pictures."""
    rng = np.random.default_rng(seed)
    classes = split.spec.num_classes
    logits = rng.normal(0, 1, (len(split), classes))
    taken = np.where(rng.random(len(split)) < error, (split.labels + 1) % classes, split.labels)
    logits[np.arange(len(split)), taken] += rng.gamma(4, 2, len(split))
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    return predictions_for(split, chances / chances.sum(axis=1, keepdims=True))


def write_run(folder, names="ab", *, counts=(12, 6, 20), learning_curve="{}", **options):
    """Write the page of a made-up run, and metrics beside it; return the page's path."""
    audited = write_splits(folder / "processed", names, counts=counts, **options)
    train, validation, test = splits = tuple(Split(n, folder / "processed") for n in SPLITS)
    headline = Headline.of(train, validation)
    results, figures = {}, {}
    for place, (rung, error) in enumerate(zip(RUNGS, ERRORS, strict=True)):
        of_test, of_validation = said(test, error, place), said(validation, error, 10 + place)
        scores = score(of_test, of_validation, headline)
        entry = COST | {"operations": 10 ** (4 + place)} | scores | {"answers": ANSWERS}
        worst = tiles(of_test, test, worst_mistakes(of_test))
        pairs = [(pair, tiles(of_test, test, pair.rows)) for pair in confused_pairs(of_test)]
        figures[rung.name] = entry
        results[rung.name] = Result(
            rung, entry, of_test, worst, pairs, worst if rung.has_maps else []
        )
        (folder / rung.file).parent.mkdir(exist_ok=True)
        (folder / rung.file).write_bytes(rung.name.encode())
    by_guessing = guessing(train, validation, test, headline)
    (folder / "evaluate.json").write_text(json.dumps(figures | {"majority_class": by_guessing}))
    (folder / "preprocess.json").write_text(json.dumps(audited))
    (folder / "learning_curve.json").write_text(learning_curve)
    falling = np.linspace(1, 0.1, 8)
    curves = {"loss": falling, "val_loss": falling + 0.1, "accuracy": 1 - falling,
              "val_accuracy": 0.9 - falling / 2}  # fmt: skip
    page = folder / "report.html"
    write_page(
        page, results, figures=folder / "evaluate.json", guessing=by_guessing, crossed={},
        headline=headline, splits=splits, audit=audited,
        curves={r.name: pd.DataFrame(curves).assign(epoch=np.arange(8) + 1)
                for r in RUNGS if r.has_curves},
        learning_curve=folder / "learning_curve.json", params=load_params(ROOT / "params.yaml"),
        promised="everywhere",
    )  # fmt: skip
    return page


LONG = ["W" * 200, "قطة صغيرة", "日本語の名前", "snake_case.name"]
KINDS = {
    "ten": {"names": "0123456789", "counts": (12, 6, 20)},
    "two": {"names": ["cat", "dog"], "counts": (20, 10, 40), "side": 160, "channels": 3},
    "many": {"names": [*LONG, *nasty_classes(196)], "counts": (9, 2, 1)},
}
