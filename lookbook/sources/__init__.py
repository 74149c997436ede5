"""Bring a data set's published files here, verified: one file a kind of place.

In comes a card; out come its files in a folder, byte for byte as published, or a sentence on what
each place answered. Sources know nothing of how pictures look.
"""

import logging
from importlib import import_module
from pathlib import Path

from lookbook.datasets.cards import Card
from lookbook.foundation.errors import LookbookError
from lookbook.sources.hashes import fault_of

logger = logging.getLogger(__name__)

KINDS = ("bundled", "http", "kaggle", "own", "mirror")  # each a module with a `fetch`


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Put every file of a card into `folder`, byte for byte as published.

    Args:
        dataset: The card's name.
        card: Which files, from where, with which hashes.
        folder: An existing, empty folder.

    Raises:
        LookbookError: If a file cannot be had, or is not the one that the card describes.
    """
    # Imported here, since some need more than others: pandas, or what fetches from the network.
    import_module(f"{__name__}.{card.source.kind}").fetch(dataset, card, folder)
    for file in card.files:
        fault = fault_of(folder / file.name, file)
        if fault:
            raise LookbookError(
                f"Expected {file} of {dataset}. Received: {fault}. Install the versions of "
                "locks/all.txt, or mend the card."
            )
    names = ", ".join(file.name for file in card.files)
    logger.info("%s: %s, verified", dataset, names)
