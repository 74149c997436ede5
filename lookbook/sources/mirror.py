"""Files that are published nowhere else than in the user's mirror."""

import shutil
from pathlib import Path

from lookbook.datasets.cards import Card, MirrorSource
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.places import cache_folder, mirror
from lookbook.sources.http import fetch_file


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Copy the card's files into `folder`, from the cache or the mirror.

    Raises:
        LookbookError: If there is no mirror, or if it does not have them.
    """
    assert isinstance(card.source, MirrorSource)
    origins = mirror(card.source.folder)
    for file in card.files:
        cache = cache_folder(dataset)
        if not origins and not (cache / file.name).is_file():
            raise LookbookError(
                f"Expected LOOKBOOK_MIRROR to name a folder or address with {card.source.folder}/"
                f"{file.name}: {dataset} is published nowhere else. Received: no mirror. Set it, "
                "or choose another dataset."
            )
        # Without a mirror the cache itself is where it comes from.
        shutil.copyfile(fetch_file(file, origins or [str(cache)], cache), folder / file.name)
