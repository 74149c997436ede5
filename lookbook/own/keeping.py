"""A set's card, and DVC and Git, brought after its list."""

import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from lookbook.datasets.cards import Card, OwnSource, card_path, known_cards
from lookbook.datasets.choosing import choose
from lookbook.datasets.packs import forget_unlisted, list_file, read_list, set_folder, write_list
from lookbook.datasets.writing import write_card
from lookbook.foundation.dvc_locks import mend_record
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.git import tell_git
from lookbook.foundation.schema import read_yaml, validated
from lookbook.own.examining import Examined
from lookbook.splits.spec import SPLITS

_PATIENCE = 20.0  # seconds that another DVC has to finish with the folder


def own_card(dataset: str) -> dict | None:
    """Return the card of a set of one's own; None if the name is free.

    Raises:
        LookbookError: If the name is that of a published set.
    """
    path = card_path(dataset)
    # Names that differ in case only are one file on some systems.
    same = [name for name in known_cards() if name.casefold() == dataset.casefold()]
    if not same:
        _check_forgotten(path, set_folder(dataset))
        return None
    card = read_yaml(path) if path.is_file() else {}
    if same != [dataset] or card.get("source", {}).get("kind") != "own":
        raise LookbookError(
            f"Expected the name of a set of your own, or a new one. Received: {dataset!r}, which "
            f"{card_path(same[0])} has. Choose another name."
        )
    validated(Card, card, path=path)
    return card


def known_own(dataset: str) -> dict:
    """Return the card of a set of one's own.

    Raises:
        LookbookError: If there is none.
    """
    card = own_card(dataset)
    if card is None:
        sets = [name for name in known_cards() if _is_own(name)]
        raise LookbookError(
            f"Expected a set of your own: {', '.join(sets) or 'there is none yet'}. Received: "
            f"{dataset!r}. Make it: lookbook add {dataset} FOLDER"
        )
    return card


def card_of(
    dataset: str,
    card: dict | None,
    source: OwnSource,
    examined: list[Examined],
    table: pd.DataFrame,
) -> dict[str, Any]:
    """Return a set's card, but for what its list decides.

    Args:
        dataset: The set's name.
        card: As it is; None for a new set.
        source: Where the photos come from, and how they are shared out.
        examined: The photos of a new set, which say whether it is grey and how large they are.
        table: The list as it will be.
    """
    if card is None:
        usable = [one for one in examined if one.grid is not None]
        grey = all(one.is_grey for one in usable)
        channels = 1 if grey else 3
        sides = [min(one.width, one.height) for one in usable]
        counts = table["class"].value_counts().sort_index().to_dict()
        choices = choose(sides, channels, counts, is_table=False)
        card = {
            "title": f"{dataset}, pictures of our own",
            "licence": "not stated",
            "homepage": "not stated",
            "classes": [],
            "flips": not grey,  # photos may be mirrored; grey scans may be letters
            # Written down once, so that the set means the same however it grows.
            "choices": {name: asdict(choice) for name, choice in choices.items()},
            "reader": {"kind": "packs", "channels": channels},
        }
    return card | {"source": source.model_dump(exclude_defaults=True)}


def bring_together(dataset: str, card: dict[str, Any]) -> list[Path]:
    """Let card, DVC and Git say what the list says; return the files that Git was told of.

    Classes keep their places on the card; new ones come after them, in alphabetical order.
    """
    folder = set_folder(dataset)
    table = read_list(folder)
    aliases = card["source"].get("aliases", {})
    stale = table["class"].isin(set(aliases) - set(card["classes"]))
    if stale.any():  # a change of classes was cut off after the card
        table.loc[stale, "class"] = table.loc[stale, "class"].map(aliases)
        write_list(folder, table)
    counts = table["class"].value_counts().to_dict()
    new = sorted(set(counts) - set(card["classes"]))
    classes = [name for name in card["classes"] if name in counts] + new
    card = card | {
        "classes": classes,
        "counts": {name: counts[name] for name in classes},
        "splits": {name: int((table["split"] == name).sum()) for name in SPLITS},
        "files": [list_file(folder)],
    }
    path = card_path(dataset)
    validated(Card, card, path=path)
    write_card(path, card)
    forget_unlisted(folder, table)
    _tell_dvc(folder)
    told = [path, folder.with_suffix(".dvc"), folder.parent / ".gitignore"]
    tell_git(told)
    return told


def counts_table(table: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Return how many photos of each class each split has: classes by splits."""
    counts = pd.crosstab(table["class"], table["split"])
    return counts.reindex(index=classes, columns=list(SPLITS), fill_value=0)


def _check_forgotten(path: Path, folder: Path) -> None:
    """Raise a LookbookError if a set whose card is not there is kept all the same."""
    kept = folder.with_suffix(".dvc")
    if kept.is_file():
        raise LookbookError(
            f"Expected {path}, the card of the photos that {kept} keeps. Received: no such file. "
            f"Run `git checkout HEAD -- {path}` to bring it back; or, to give the set up, "
            f"`dvc remove {kept}` and remove {folder}."
        )


def _is_own(name: str) -> bool:
    return read_yaml(card_path(name)).get("source", {}).get("kind") == "own"


def _tell_dvc(folder: Path) -> None:
    command = [sys.executable, "-m", "dvc", "add", str(folder)]
    end = time.monotonic() + _PATIENCE
    mend_record()
    while True:
        done = subprocess.run(command, capture_output=True, text=True)
        if not done.returncode:
            return
        # What a killed `add` started may live on for a moment, and hold DVC's lock on the folder.
        if "is busy" not in done.stderr or time.monotonic() > end:
            raise LookbookError(
                f"Expected `dvc add {folder}` to succeed. Received: {done.stderr.strip()}. Mend "
                "its cause and run the command again; the photos are in the set."
            )
        time.sleep(0.5)
