"""What the page shows of one model: its figures, its confusion table, its pictures."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lookbook.evaluation.mistakes import ConfusedPair, confusion_shares
from lookbook.evaluation.results import Result
from lookbook.reporting.album import Album
from lookbook.reporting.gallery import Shown, shown
from lookbook.reporting.numbers import percent
from lookbook.reporting.words import Word, word

SHORT = 3  # letters
MOST_CLASSES = 20  # in a confusion table; of more, those with the most mistakes
# From these shares on a mistake has the next stronger colour: few are many where most are right.
LEVELS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class Figure(NamedTuple):
    """A figure with its words."""

    key: str
    word: Word
    text: str


class Cell(NamedTuple):
    """A cell of the confusion table.

    Attributes:
        text: Its share in percent, '' for nothing.
        kind: `right`, `wrong-1` to `wrong-7` by its share, or ''.
        link: The id of the pictures behind it, or ''.
    """

    text: str
    kind: str
    link: str


@dataclass(frozen=True)
class Confusion:
    """What each class was taken for.

    Attributes:
        columns: Class names, in label order, and perhaps `others`.
        rows: For each class its name and its cells.
        left_out: How many classes it does not show.
    """

    columns: list[str]
    rows: list[tuple[str, list[Cell]]]
    left_out: int

    @property
    def is_short(self) -> bool:
        """Whether all names are so short that they need not stand upright."""
        return max(map(len, self.columns)) <= SHORT


@dataclass(frozen=True)
class Confused:
    """Two classes that are taken for each other, with pictures."""

    id: str
    sentence: list[tuple[int, str, str]]
    pictures: list[Shown]


@dataclass(frozen=True)
class Model:
    """What the page shows of one model.

    Attributes:
        name: Of its stage.
        title: What people read.
        figures: As metrics/evaluate.json has them.
        told: The same in words, without those of classes.
        confusion: What each class was taken for.
        confused: Pairs of classes, the most confused first.
        mistakes: The worst.
        focus: Where it looked.
    """

    name: str
    title: str
    figures: dict
    told: list[Figure]
    confusion: Confusion
    confused: list[Confused]
    mistakes: list[Shown]
    focus: list[Shown]


def model_of(result: Result, digits: int, album: Album) -> Model:
    """Return what the page shows of a model.

    Args:
        result: What is known of it.
        digits: Of a percentage, after the point.
        album: Takes its pictures in.
    """
    name = result.rung.name
    links = {
        pair: f"confused-{name}-{rank}"
        for rank, (found, _) in enumerate(result.pairs)
        for pair in ((found.first, found.second), (found.second, found.first))
    }
    names = result.test.class_names
    return Model(
        name=name,
        title=result.rung.title,
        figures=result.figures,
        told=told(result.figures, digits),
        confusion=confusion(confusion_shares(result.test), names, links),
        confused=[
            Confused(f"confused-{name}-{rank}", _sentence(pair, names), shown(album, tiles))
            for rank, (pair, tiles) in enumerate(result.pairs)
        ],
        mistakes=shown(album, result.mistakes),
        focus=shown(album, result.focus),
    )


def told(figures: dict, digits: int, prefix: str = "") -> list[Figure]:
    """Return figures in words; those with an interval have it behind them.

    Args:
        figures: Of one model, or of a section of them.
        digits: Of a percentage, after the point.
        prefix: The section's name with a dot.
    """
    found = []
    for key, value in figures.items():
        low, high = figures.get(f"{key}_low"), figures.get(f"{key}_high")
        if key == "classes" or key.endswith(("_low", "_high")):
            continue
        if isinstance(value, dict):
            found += told(value, digits, f"{key}.")
            continue
        entry = word(prefix + key)
        text = entry.told(value, digits)
        if low is not None and high is not None:
            text += f" ({percent(low, digits)} to {percent(high, digits)})"
        found.append(Figure(prefix + key, entry, text))
    return found


def confusion(shares: np.ndarray, names: list[str], links: dict[tuple[int, int], str]) -> Confusion:
    """Return a confusion table of at most `MOST_CLASSES` classes.

    Args:
        shares: Of each true class by what was said, float (classes, classes); NaN in rows without
            pictures.
        names: Of the classes.
        links: Ids of pictures, by true class and what was said.
    """
    wrong = np.nan_to_num(shares)
    np.fill_diagonal(wrong, 0)
    worst = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")
    kept = np.sort(worst[:MOST_CLASSES])
    others = shares.sum(axis=1) - shares[:, kept].sum(axis=1)
    left_out = len(names) - len(kept)
    rows = []
    for true in kept.tolist():
        cells = [_cell(shares[true, said], true == said, links.get((true, said), ""))
                 for said in kept.tolist()]  # fmt: skip
        rows.append((names[true], [*cells, _cell(others[true], False, "")] if left_out else cells))
    columns = [names[label] for label in kept]
    return Confusion([*columns, "others"] if left_out else columns, rows, left_out)


def _cell(share: float, is_right: bool, link: str) -> Cell:
    if not share >= 1e-9:  # nothing, or no pictures
        return Cell("", "", "")
    text = percent(share, 0).split()[0] if share >= 0.005 else "<1"
    level = sum(share >= least for least in LEVELS)
    return Cell(text, "right" if is_right else f"wrong-{level}", "" if is_right else link)


def _sentence(pair: ConfusedPair, names: list[str]) -> list[tuple[int, str, str]]:
    """Return how often which class was taken for which, the more frequent way first."""
    first, second = names[pair.first], names[pair.second]
    ways = [(pair.first_as_second, first, second), (pair.second_as_first, second, first)]
    return sorted((way for way in ways if way[0]), key=lambda way: -way[0])
