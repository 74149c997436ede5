"""Bring a data set's published files here, verified: one file a kind of place.

In comes a card; out come its files in a folder, byte for byte as published, or a sentence on what
each place answered. Sources know nothing of how pictures look.
"""

import logging
from pathlib import Path

from lookbook.datasets.cards import Card
from lookbook.foundation.errors import LookbookError
from lookbook.sources import bundled, http, kaggle, mirror, own
from lookbook.sources.hashes import fault_of

logger = logging.getLogger(__name__)

FETCH = {
    "bundled": bundled.fetch,
    "http": http.fetch,
    "kaggle": kaggle.fetch,
    "own": own.fetch,
    "mirror": mirror.fetch,
}


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Put every file of a card into `folder`, byte for byte as published.

    Args:
        dataset: The card's name.
        card: Which files, from where, with which hashes.
        folder: An existing, empty folder.

    Raises:
        LookbookError: If a file cannot be had, or is not the one that the card describes.
    """
    FETCH[card.source.kind](dataset, card, folder)
    for file in card.files:
        fault = fault_of(folder / file.name, file)
        if fault:
            raise LookbookError(
                f"Expected {file} of {dataset}. Received: {fault}. Install the versions of "
                "locks/all.txt, or mend the card."
            )
    names = ", ".join(file.name for file in card.files)
    logger.info("%s: %s, verified", dataset, names)
