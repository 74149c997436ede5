"""Files that an installed Python package brings along."""

import importlib.util
import shutil
from pathlib import Path

from lookbook.datasets.cards import BundledSource, Card
from lookbook.foundation.errors import LookbookError


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Copy the card's files out of the package, without importing it."""
    assert isinstance(card.source, BundledSource)
    package = importlib.util.find_spec(card.source.package)
    if package is None or not package.submodule_search_locations:
        raise LookbookError(
            f"Expected the package {card.source.package}, which holds {dataset}. Received: it is "
            "not installed. Run `make repro`, or install it."
        )
    origin = Path(package.submodule_search_locations[0], card.source.folder)
    for file in card.files:
        try:
            shutil.copyfile(origin / file.name, folder / file.name)
        except FileNotFoundError:
            raise LookbookError(
                f"Expected {file.name} of {dataset} in {origin}. Received: no such file. Install "
                "the versions of locks/all.txt."
            ) from None
