"""Change a set that is there: withdraw photos, rename, merge and order its classes."""

import datetime
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lookbook.datasets.cards import card_path
from lookbook.datasets.packs import (
    members_unlisted,
    read_list,
    read_packed,
    read_withdrawn,
    set_folder,
    write_list,
    write_packs,
    write_withdrawn,
)
from lookbook.datasets.writing import write_card
from lookbook.foundation.errors import LookbookError
from lookbook.own.keeping import bring_together, known_own
from lookbook.own.scanning import check_class, class_of


class Removed(NamedTuple):
    """What was withdrawn.

    Attributes:
        names: Of the photos.
        packs: How many packs were rewritten without them.
        told: The files that Git should know.
    """

    names: list[str]
    packs: int
    told: list[Path]


def remove(dataset: str, patterns: list[str], *, purge: bool) -> Removed:
    """Withdraw photos from a set.

    Args:
        dataset: The set's name.
        patterns: Names, ids, patterns with `*` and `?`, or files with one of these a line.
        purge: Whether packs are rewritten without the bytes of these and of earlier ones.

    Raises:
        LookbookError: If a pattern fits no photo, or a class would have too few left.
    """
    card, folder = known_own(dataset), set_folder(dataset)
    table = read_list(folder)
    chosen, before = pd.Series(False, index=table.index), read_withdrawn(folder)
    for pattern in [line for entry in patterns for line in _lines(entry)]:
        fits = table["name"].map(lambda name, p=pattern: fnmatch.fnmatchcase(name, p))
        fits |= (table["name"] == pattern) | (table["id"] == pattern)
        if not fits.any() and not (purge and pattern in before):
            raise LookbookError(
                f"Expected the name, the id or a pattern of photos of {dataset}. Received: "
                f"{pattern!r}, which fits none. {folder}/list.csv tells "
                "what there is."
            )
        chosen |= fits
    kept = table[~chosen].reset_index(drop=True)
    counts = kept["class"].value_counts()
    if len(counts) < 2 or counts.min() < 3:
        rarest = counts.index[-1] if len(counts) else "any class"
        left = int(counts.min()) if len(counts) else 0
        raise LookbookError(
            f"Expected at least two classes of 3 photos to stay. Received: {left} of {rarest!r} "
            "would. Add others first, or withdraw the whole class."
        )
    packs = members_unlisted(folder, kept) if purge else []
    if packs:
        moving = kept.index[kept["pack"].isin(packs)]
        rows = kept.loc[moving]
        contents = zip(rows["member"], read_packed(folder, rows), strict=True)
        packed = list(write_packs(folder, _whole(contents, rows["pack"])))
        kept.loc[moving, "pack"] = [photo.pack for photo in packed]
        # The order of a list is that of its packs.
        kept = pd.concat([kept.drop(index=moving), kept.loc[moving]], ignore_index=True)
    today = datetime.date.today().isoformat()
    if chosen.any():
        gone = dict.fromkeys(table.loc[chosen, "id"], today)
        write_withdrawn(folder, before | gone)
    write_list(folder, kept)
    return Removed(table.loc[chosen, "name"].tolist(), len(packs), bring_together(dataset, card))


def _whole(
    contents: Iterable[tuple[str, bytes | str]], packs: pd.Series
) -> Iterator[tuple[str, bytes]]:
    for (member, content), pack in zip(contents, packs, strict=True):
        if isinstance(content, str):
            raise LookbookError(
                f"Expected {member} in {pack}. Received: {content}. Run `dvc checkout data/own` "
                "to bring the packs back."
            )
        yield member, content


def _lines(pattern: str) -> list[str]:
    path = Path(pattern)
    if not path.is_file():
        return [pattern]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise LookbookError(
            f"Expected names, ids or patterns in {path}, one a line, in UTF-8. Received: another "
            "kind of file. Name photos as the set knows them."
        ) from None
    return [line.strip() for line in lines if line.strip()]


def change_classes(
    dataset: str,
    *,
    rename: list[tuple[str, str]],
    merge: list[tuple[list[str], str]],
    order: list[str],
) -> tuple[list[str], list[Path]]:
    """Rename, merge and order the classes of a set.

    A class that is renamed keeps its label number; one that others are merged into too. Where the
    photos came from, the old names still stand, and are understood from now on.

    Args:
        dataset: The set's name.
        rename: Old and new name.
        merge: Classes, and the class that they become.
        order: All classes in the order of their new label numbers; empty: as it is.

    Returns:
        The classes in label order, and the files that Git should know.

    Raises:
        LookbookError: If there is no class of a name, or a new name is taken.
    """
    card, folder = known_own(dataset), set_folder(dataset)
    table = read_list(folder)
    classes, aliases = list(card["classes"]), dict(card["source"].get("aliases", {}))
    changes = [([old], new) for old, new in rename] + merge
    for olds, given in changes:
        new = class_of(given)
        check_class(new)
        for old in olds:
            if old not in classes:
                raise _unknown(dataset, old, classes)
        same = [name for name in classes if name.casefold() == new.casefold() and name not in olds]
        if same and same != [new]:
            raise LookbookError(
                f"Expected classes of different names. Received: {new!r} and {same[0]!r}, the same "
                "but for case. Choose another."
            )
        if same and len(olds) == 1:
            raise LookbookError(
                f"Expected a new name for {olds[0]!r}. Received: {new!r}, which is a class too. "
                f"To make one of both: lookbook classes {dataset} --merge {olds[0]},{new}={new}"
            )
        first = min(classes.index(old) for old in olds)
        classes[first] = new
        classes = [name for place, name in enumerate(classes) if place == first or name not in olds]
        classes = list(dict.fromkeys(classes))
        table["class"] = table["class"].replace(dict.fromkeys(olds, new))
        aliases = {place: new if name in olds else name for place, name in aliases.items()}
        aliases |= {old: new for old in olds if old != new}
    if order:
        if sorted(order) != sorted(classes):
            raise LookbookError(
                f"Expected all classes after --order: {', '.join(classes)}. Received: "
                f"{', '.join(order)}."
            )
        classes = order
    if len(classes) < 2:
        raise LookbookError(
            f"Expected at least two classes. Received: {classes[0]!r} alone would be left."
        )
    changed = card | {"classes": classes, "source": card["source"] | {"aliases": aliases}}
    counts = table["class"].value_counts()
    changed["counts"] = {name: int(counts[name]) for name in classes}
    write_card(card_path(dataset), changed)  # first, since a list can be mended by it
    write_list(folder, table)
    return classes, bring_together(dataset, changed)


def _unknown(dataset: str, name: str, classes: list[str]) -> LookbookError:
    return LookbookError(
        f"Expected a class of {dataset}: {', '.join(classes)}. Received: {name!r}."
    )
