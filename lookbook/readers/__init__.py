"""Published files to pictures and labels: one file a format.

In come a card and the folder of its files; out comes a `Reading`: a table of all pictures, and the
pictures themselves, batch by batch. Readers know nothing of the network.
"""

from pathlib import Path

from lookbook.datasets.cards import Card
from lookbook.pictures.batch import Batch, Fault
from lookbook.readers import digits, idx, images, packs, table
from lookbook.readers.reading import Reading

__all__ = ["Batch", "Fault", "Reading", "read_pictures"]

READ = {
    "csv": table.read,
    "digits": digits.read,
    "idx": idx.read,
    "images": images.read,
    "packs": packs.read,
}


def read_pictures(card: Card, folder: Path) -> Reading:
    """Read every picture of a data set, in published order, a few in memory at a time.

    Args:
        card: Says which files hold what, and the class names.
        folder: The folder of the published files.

    Raises:
        LookbookError: At the first file that is not what its format demands; some faults show only
            when the batches are drawn.
    """
    return READ[card.reader.kind](card, folder)
