"""Read pictures and labels from published files. Readers know nothing of the network."""

from collections.abc import Iterator
from pathlib import Path

from lookbook.cards import Card
from lookbook.readers import digits, idx
from lookbook.readers.picture import Picture

__all__ = ["Picture", "read_pictures"]

READ = {"digits": digits.read, "idx": idx.read}


def read_pictures(card: Card, folder: Path) -> Iterator[Picture]:
    """Yield every picture of a data set, in published order, a few in memory at a time.

    Args:
        card: Says which files hold what, and the class names.
        folder: The folder of the published files.

    Yields:
        Pictures whose labels are indices into `card.classes`.

    Raises:
        LookbookError: At the first file that is not what its format demands.
    """
    return READ[card.reader.kind](card, folder)
