"""What the page says of the data: classes with samples, and what was found and done."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lookbook.drawing.galleries import Tile
from lookbook.evaluation.predictions import Predictions
from lookbook.foundation.files import read_csv
from lookbook.reporting.album import Album
from lookbook.reporting.gallery import Shown, shown
from lookbook.reporting.numbers import plural
from lookbook.splits.spec import SPLITS
from lookbook.splits.split import Split

SAMPLES, FEW_SAMPLES = 6, 2  # pictures of each class
MANY_CLASSES = 20  # beyond which there are few samples of each
EXAMPLES = 6  # of a finding
DOUBTFUL = 12
SPLIT_WORDS = {"train": "training", "validation": "validation", "test": "test"}


class ClassRow(NamedTuple):
    """A class: how many pictures each split has, and some of the training pictures."""

    name: str
    counts: list[int]
    samples: list[Shown]


@dataclass(frozen=True)
class Finding:
    """What was found out about the data.

    Attributes:
        figure: Which figure it is, for its words.
        sentence: What was found, and what was done.
        pictures: Examples.
    """

    figure: str
    sentence: str
    pictures: list[Shown] = field(default_factory=list)


def class_rows(audit: dict, train: Split, album: Album) -> list[ClassRow]:
    """Return the classes in label order, with samples."""
    names = train.spec.class_names
    count = SAMPLES if len(names) <= MANY_CLASSES else FEW_SAMPLES
    rows = []
    for label, name in enumerate(names):
        places = np.flatnonzero(train.labels == label)[:count]
        tiles = [Tile(pixels, []) for pixels in train.images(places)]
        counts = [audit["classes"][split][name] for split in SPLITS]
        rows.append(ClassRow(name, counts, shown(album, tiles)))
    return rows


def findings(audit: dict, splits: tuple[Split, ...], album: Album) -> list[Finding]:
    """Return what was found, in the order of a reader's worries.

    Args:
        audit: As metrics/preprocess.json has it.
        splits: Training, validation and test data, beside which the tables of pictures are.
        album: Takes the pictures in.
    """
    folder = splits[0].folder.parent
    return [
        _left_out(audit["dropped"]),
        _copies(audit["duplicates"], folder, splits, album),
        _near_copies(audit["near_duplicates"], folder, splits, album),
        _labels(audit),
        _blank(audit["near_blank"], folder, splits, album),
        _sizes(audit["sizes"], splits[0]),
    ]


def _left_out(reasons: dict[str, int]) -> Finding:
    if not reasons:
        return Finding("dropped", "Every picture is in a split.")
    parts = [f"{count:,} ({reason})" for reason, count in reasons.items()]
    return Finding("dropped", f"{plural(sum(reasons.values()), 'picture')} left out: "
                              f"{', '.join(parts)}.")  # fmt: skip


def _copies(
    figures: dict[str, int], folder: Path, splits: tuple[Split, ...], album: Album
) -> Finding:
    within = [f"{figures[name]:,} in the {SPLIT_WORDS[name]} data" for name in SPLITS
              if figures[name]]  # fmt: skip
    between = _between({key: figures[key] for key in figures if _is_pair(key)})
    if not within and not between:
        return Finding("duplicates", "No picture has an exact copy.")
    sentence = ""
    if within:
        sentence = f"Pictures with a copy beside them: {', '.join(within)}. "
    if between:
        sentence += f"Leaks: {', '.join(between)}."
    rows = read_csv(folder / "duplicates.csv")
    firsts = rows.groupby("group", sort=False).head(2)[: 2 * EXAMPLES]
    return Finding("duplicates", sentence.strip(), _pictures(firsts, splits, album))


def _near_copies(figures: dict, folder: Path, splits: tuple[Split, ...], album: Album) -> Finding:
    found = {key: value["pictures"] for key, value in figures.items() if _is_pair(key)}
    between = _between(found)
    if not between:
        return Finding("near_duplicates", "No picture is nearly one of another split.")
    rows = read_csv(folder / "near_duplicates.csv")[:EXAMPLES]
    columns = ["split", "class", "id"]
    twins = rows[[f"twin_{name}" for name in columns]].set_axis(columns, axis=1)
    both = pd.concat([rows[columns], twins]).sort_index(kind="stable")
    sentence = (
        f"Nearly the same (alike to {figures['threshold']:.2f} of 1): {', '.join(between)}. "
        "They stay unless the parameters drop or group them."
    )
    return Finding("near_duplicates", sentence, _pictures(both, splits, album))


def _is_pair(key: str) -> bool:
    return key.partition("_")[0] in SPLITS and key.partition("_")[2] in SPLITS


def _between(counts: dict[str, int]) -> list[str]:
    told = []
    for key, count in counts.items():
        first, _, second = key.partition("_")
        if count:
            later = plural(count, f"{SPLIT_WORDS[second]} picture")
            told.append(f"{later} with one in the {SPLIT_WORDS[first]} data")
    return told


def _labels(audit: dict) -> Finding:
    conflicting, changed = audit["duplicates"]["conflicting_labels"], audit["relabelled"]
    parts = []
    if conflicting:
        parts.append(f"{plural(conflicting, 'picture')} with the same pixels and different labels.")
    if any(changed.values()):
        told = [f"{changed[name]:,} {SPLIT_WORDS[name]}" for name in SPLITS if changed[name]]
        parts.append(f"Changed or dropped in a review: {', '.join(told)}.")
    return Finding("relabelled", " ".join(parts) or "No label was changed in a review.")


def _blank(count: int, folder: Path, splits: tuple[Split, ...], album: Album) -> Finding:
    if not count:
        return Finding("near_blank", "No picture is blank.")
    rows = read_csv(folder / "near_blank.csv")[: 2 * EXAMPLES]
    sentence = f"{plural(count, 'picture')} of nearly one brightness; they stay."
    return Finding("near_blank", sentence, _pictures(rows, splits, album))


def _sizes(sizes: dict[str, int], train: Split) -> Finding:
    height, width, channels = train.image_shape
    kind = "grey" if channels == 1 else "colour"
    seen = f"Models get them in {kind}, {width}\u00a0×\u00a0{height} pixels."
    if sizes["different"] == 1:
        sentence = (
            f"All pictures are {sizes['width_max']}\u00a0×\u00a0{sizes['height_max']} pixels."
        )
    else:
        spans = [
            f"{side}s from {sizes[f'{side}_min']:,} to {sizes[f'{side}_max']:,}, "
            f"{sizes[f'{side}_median']:,} in the middle"
            for side in ("width", "height")
        ]
        sentence = f"{sizes['different']:,} sizes: {'; '.join(spans)}."
    return Finding("sizes", f"{sentence} {seen}")


def _pictures(rows: pd.DataFrame, splits: tuple[Split, ...], album: Album) -> list[Shown]:
    """Return the pictures that rows with split, class and id name."""
    by_name = {split.name: split for split in splits}
    places = {name: {picture: place for place, picture in enumerate(split.ids.tolist())}
              for name, split in by_name.items() if (rows["split"] == name).any()}  # fmt: skip
    tiles = []
    for row in rows.itertuples(index=False):
        split = by_name[str(row.split)]
        place = places[split.name][str(row.id)]
        label = split.spec.class_names[split.labels[place]]
        words = [SPLIT_WORDS[split.name], label]
        tiles.append(Tile(split.images(np.array([place]))[0], words, f"picture {row.id}"))
    return shown(album, tiles)


def doubtful(said: dict[str, Predictions], test: Split, album: Album) -> tuple[int, list[Shown]]:
    """Return how many test pictures every model takes for the same other class, and some of them.

    Those that the least sure model is surest about come first: their labels are worth a look.
    """
    found = list(said.values())
    predicted = np.stack([predictions.predicted for predictions in found])
    rows = np.flatnonzero((predicted == predicted[0]).all(axis=0) & ~found[0].right)
    sure = np.min([p.probabilities[rows].max(axis=1) for p in found], axis=0)
    chosen = rows[np.argsort(-sure, kind="stable")][:DOUBTFUL]
    names = test.spec.class_names
    tiles = [
        Tile(pixels, [f"labelled {names[test.labels[row]]}",
                      f"all say {names[found[0].predicted[row]]}"], f"picture {found[0].ids[row]}")
        for pixels, row in zip(test.images(chosen), chosen, strict=True)
    ]  # fmt: skip
    return len(rows), shown(album, tiles)
