"""Lists of people's own sets that were changed by hand, and cards that do not fit the data."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from lookbook.datasets.archives import DAMAGE
from lookbook.datasets.cards import card_path, load_card
from lookbook.datasets.packs import LIST, OWN, list_file, read_list
from lookbook.doctor.finding import Finding
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.params import load_params
from lookbook.foundation.schema import read_yaml


def check_cards_of_sets(is_sound: Callable[[Path], bool]) -> Iterator[Finding]:
    """Whether the card of each set describes its list.

    Args:
        is_sound: Whether a file is what DVC has the hash of; else that was said of it.
    """
    for kept in sorted(OWN.glob("*.dvc")):
        folder, path = kept.with_suffix(""), card_path(kept.stem)
        if not is_sound(folder / LIST):  # or not pulled
            continue
        try:
            expected = load_card(folder.name).files[0].sha256
        except LookbookError as error:
            yield Finding("card", str(path), "is missing or damaged", str(error))
            continue
        if list_file(folder)["sha256"] != expected:
            remedy = f"Run `lookbook add {folder.name}`, or `git checkout {path}`."
            yield Finding("card", str(path), f"describes another {folder / LIST}", remedy)


def check_active_card(stages: dict) -> Iterator[Finding]:
    """Whether the data were made by the card as it is."""
    path = card_path(load_params().dataset)
    known = stages.get("preprocess", {}).get("params", {}).get(path.as_posix())
    if known is None or not path.is_file() or not Path("data/processed").is_dir():
        return
    card = read_yaml(path)
    if card.get("source", {}).get("kind") != "own" and card != known:
        names = ", ".join(key for key in {**known, **card} if known.get(key) != card.get(key))
        remedy = f"Run `dvc repro`, or `git checkout {path}`."
        yield Finding("card", str(path), f"was edited after the download: {names}", remedy)


def fault_of_list(folder: Path) -> str | None:
    """Return what is wrong with a list in a few words; None if nothing is, or it is not there."""
    if not (folder / LIST).is_file():
        return None
    try:
        table = read_list(folder)
    except LookbookError as error:
        return f"is no list ({str(error).partition('Received: ')[2].partition('. Run')[0]})"
    splits = _stretched(table, "group")
    if splits:
        return f"has the group {splits[0]!r} in two splits"
    for pack, rows in table.groupby("pack"):
        try:
            with zipfile.ZipFile(folder / str(pack)) as archive:
                lost = sorted(set(rows["member"]) - set(archive.namelist()))
        except DAMAGE as error:
            return f"names the pack {pack}, which is missing or damaged ({error})"
        if lost:
            return f"has rows too many ({len(lost)}): {pack} lacks {lost[0]}"
        twice = rows["member"].duplicated()
        if twice.any():
            return f"has two rows for {rows.loc[twice, 'member'].iloc[0]} of {pack}"
    return None


def _stretched(table: pd.DataFrame, column: str) -> list[str]:
    """Return what reaches into two splits, though it was asked to stay together."""
    named = table[table[column] != ""]
    counts = named.groupby(column)["split"].nunique()
    return [str(name) for name in counts.index[counts > 1]]
