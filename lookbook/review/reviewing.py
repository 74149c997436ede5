"""From the splits to the page: what is doubtful, odd or blank, but for what was decided before."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lookbook.datasets.cards import Card
from lookbook.datasets.labels import read_labels
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import read_csv
from lookbook.foundation.params import Params, TrainTransferParams
from lookbook.review.finding import NEIGHBOURS, neighbours, odd, probabilities, suspects
from lookbook.review.given import fingerprint, given_labels, spec_of
from lookbook.review.page import Candidate, Section, write_page
from lookbook.splits.spec import PROCESSED, SPLITS, Spec
from lookbook.splits.split import Split
from lookbook.transfer.bases import PARAMETER, trained_on
from lookbook.transfer.features import Extractor
from lookbook.transfer.probe import features_of, frozen

MOST_ODD = MOST_BLANK = 40
MANY = 20_000  # pictures
SIZE_OF_MANY = 64  # pixels that they are enlarged to
OPENED = "The test split was opened for this page: its pictures are among those below."


class Reviewed(NamedTuple):
    """What the page shows: how many of each kind, and how many labels are doubtful in all."""

    doubtful: int
    shown: dict[str, int]


def check_base(dataset: str, base: str) -> None:
    """Raise a LookbookError if a base was trained on the set itself: it knows the wrong labels."""
    if dataset in trained_on(base):
        raise LookbookError(
            f"Expected a base that has not seen {dataset}: what it was taught of a wrong label it "
            f"would repeat. Received: {base}, which was trained on it. Set {PARAMETER} to another, "
            "such as photos."
        )


def extractor_for(settings: TrainTransferParams, spec: Spec, count: int) -> Extractor:
    """Return what `count` pictures are looked at with: many small ones are not enlarged so much.

    That takes a sixth of the time.
    """
    return frozen(settings, spec, least_size=SIZE_OF_MANY if count > MANY else None)


def review(params: Params, card: Card, *, path: Path, most: int, test: bool) -> Reviewed:
    """Write the page.

    Args:
        params: The set, and the base with its weights, from `train_transfer`.
        card: Of the set.
        path: The HTML file.
        most: Suspects on it, at most.
        test: Whether test pictures are reviewed too.

    Raises:
        LookbookError: If the base was trained on the set, or there are too few pictures.
    """
    settings = params.train_transfer
    spec = spec_of(params.dataset)
    check_base(params.dataset, spec.chosen("base", settings.base))
    decided = read_labels(params.dataset, card)
    splits = [Split(name) for name in (SPLITS if test else SPLITS[:2])]
    extractor = extractor_for(settings, spec, sum(map(len, splits)))
    parts = [features_of(extractor, split) for split in splits]
    features, labels = np.concatenate(parts), np.concatenate([split.labels for split in splits])
    known = len(parts[0]) + len(parts[1])
    alike, distances = neighbours(features, known)
    said = probabilities(
        features,
        labels[:known],
        spec.num_classes,
        rows=alike,
        distances=distances,
        seed=settings.seed,
    )
    pool = _Pool(splits)
    doubtful = suspects(labels, said)
    chosen = pool.without(doubtful, decided["id"])
    odd_ones = pool.without(odd(distances), [*decided["id"], *pool.ids[chosen[:most]]])
    blank = pool.without(pool.blank(), decided["id"])
    names = np.array(spec.class_names, object)

    def candidates(rows: np.ndarray) -> list[Candidate]:
        found = []
        for row in rows:
            order = np.argsort(-said[row], kind="stable")
            near = alike[row, :NEIGHBOURS]
            suggested = next(label for label in order if label != labels[row])
            found.append(
                Candidate(
                    pixels=pool.images(np.array([row]))[0],
                    id=pool.ids[row],
                    source=pool.sources[row],
                    split=pool.names[row],
                    given=names[labels[row]],
                    suggested=names[suggested],
                    given_share=said[row, labels[row]],
                    suggested_share=said[row, suggested],
                    neighbours=list(zip(pool.images(near), names[labels[near]], strict=True)),
                )
            )
        return found

    opened = [OPENED] if test else []
    sections = [
        Section(
            "Suspects",
            "Their label is not what the other pictures say; the most doubtful come first.",
            candidates(chosen[:most]),
        ),
        Section("Outliers", "They are like no other picture.", candidates(odd_ones[:MOST_ODD])),
        Section("Near-blank", "They show next to nothing.", candidates(blank[:MOST_BLANK])),
    ]
    write_page(
        path,
        dataset=params.dataset,
        version=fingerprint(given_labels(spec)),
        classes=spec.class_names,
        sections=sections,
        lines=[
            f"{len(labels):,} pictures, {len(doubtful):,} of which would get another label from "
            "the others. Those that were decided on before are left out.",
            *opened,
        ],
    )
    return Reviewed(len(doubtful), {one.title: len(one.candidates) for one in sections})


class _Pool:
    """The pictures of some splits, one after the other."""

    def __init__(self, splits: list[Split]):
        self._splits = splits
        self._starts = np.cumsum([0, *map(len, splits)])
        index = pd.concat([split.index() for split in splits], ignore_index=True)
        self.ids, self.sources = index["id"].to_numpy(str), index["source"].to_numpy()
        self.names = np.repeat([split.name for split in splits], list(map(len, splits)))

    def images(self, rows: np.ndarray) -> np.ndarray:
        """Return uint8 pictures of shape (len(rows), height, width, channels)."""
        found = np.searchsorted(self._starts, rows, side="right") - 1
        pairs = zip(found, rows - self._starts[found], strict=True)
        return np.concatenate([self._splits[one].images(np.array([row])) for one, row in pairs])

    def without(self, rows: np.ndarray, ids: pd.Series | list[str]) -> np.ndarray:
        """Return the rows of pictures that have none of these ids, in the same order."""
        return rows[~np.isin(self.ids[rows], np.asarray(ids, str))]

    def blank(self) -> np.ndarray:
        """Return the rows of the pictures that preprocess found to be near-blank."""
        listed = read_csv(PROCESSED / "near_blank.csv")
        return np.flatnonzero(np.isin(self.ids, listed["id"].to_numpy(str)))
