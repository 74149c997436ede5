"""People's own photos, which DVC keeps in data/own: the packs that the list names, and the list."""

import os
import shutil
from pathlib import Path

from lookbook.datasets.cards import Card
from lookbook.datasets.packs import LIST, list_file, read_list, set_folder
from lookbook.foundation.errors import LookbookError


def fetch(dataset: str, card: Card, folder: Path) -> None:
    """Put the set's packs and its list into `folder`: links where the file system has them.

    Raises:
        LookbookError: If they are not at hand, or not those of the card.
    """
    home = set_folder(dataset)
    table, expected = read_list(home), card.files[0].sha256
    if list_file(home)["sha256"] != expected:
        raise LookbookError(
            f"Expected the version of {dataset} that its card describes, whose {LIST} has the "
            f"SHA-256 {expected}. Received: another in {home}. Run `dvc checkout {home}.dvc` to "
            f"have the card's, or `lookbook add {dataset}` to let the card describe this one."
        )
    for name in (LIST, *dict.fromkeys(table["pack"])):
        if not (home / name).is_file():
            raise LookbookError(
                f"Expected {home / name}. Received: no such file. Run `dvc pull {home}.dvc`, or "
                f"`dvc checkout {home}.dvc`."
            )
        _put(home / name, folder / name)


def _put(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
