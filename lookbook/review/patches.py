"""What a person decided on the page: checked against the data, kept, taken back.

A patch is a CSV file with the columns `set`, `data` (the fingerprint of the data that the page was
made of), `id`, `given`, `action` and `label`.
"""

from pathlib import Path

import pandas as pd

from lookbook.datasets.cards import Card
from lookbook.datasets.labels import (
    CHANGE,
    COLUMNS,
    check_decisions,
    labels_path,
    read_labels,
    read_table,
    write_labels,
)
from lookbook.foundation.errors import LookbookError
from lookbook.review.given import fingerprint, given_labels
from lookbook.splits.spec import Spec

PATCH = ["set", "data", *COLUMNS]
KEYS = ["id", "given"]


def read_patch(path: Path, dataset: str, card: Card) -> pd.DataFrame:
    """Return the decisions of a patch, `COLUMNS` and `data`, all of it text.

    Raises:
        LookbookError: If it is no patch, of another set, or names unknown labels.
    """
    try:
        table = read_table(path, PATCH)
    except FileNotFoundError:
        raise LookbookError(
            f"Expected a patch that the page of `lookbook review` saved. Received: {path}, and no "
            "such file. Mend the path; browsers save into their folder of downloads."
        ) from None
    if not len(table):
        raise LookbookError(
            f"Expected decisions in {path}. Received: none. Decide on the page, then save again."
        )
    sets = sorted(set(table["set"]))
    if sets != [dataset]:
        raise LookbookError(
            f"Expected a patch for {dataset}, the set of params.yaml. Received: {path}, for "
            f"{', '.join(sets)}. Set dataset to that and run `dvc repro preprocess`, or name the "
            "right patch."
        )
    check_decisions(path, table, card.classes)
    same = (table["action"] == CHANGE) & (table["label"] == table["given"])
    if same.any():
        raise LookbookError(
            f"Expected another label where it changes in {path}. Received: {int(same.sum())} rows "
            f"with the given one; the first is {table.loc[same, 'id'].iloc[0]}. Make it `keep`."
        )
    return table


def check_fits(path: Path, patch: pd.DataFrame, spec: Spec) -> None:
    """Raise a LookbookError unless a patch was made of the data that are here.

    Args:
        path: The patch, for the message.
        patch: As `read_patch` returns it.
        spec: Of the splits.
    """
    given = given_labels(spec)
    here = pd.MultiIndex.from_frame(given[KEYS])
    known, fits = patch["id"].isin(given["id"]), pd.MultiIndex.from_frame(patch[KEYS]).isin(here)
    again = "Run `lookbook review` again: the page remembers what still fits."
    if not fits.all():
        first = patch[~fits].iloc[0]
        raise LookbookError(
            f"Expected pictures and given labels of {spec.dataset} as they are here. Received: "
            f"{path}, of whose {len(patch):,} rows {int((~known).sum()):,} have an id that is not "
            f"here and {int((known & ~fits).sum()):,} another given label; the first is "
            f"{first['id']} ({first['given']}). It is of another set or version. {again}"
        )
    expected = fingerprint(given)
    others = sorted(set(patch["data"]) - {expected})
    if others:
        raise LookbookError(
            f"Expected a patch for the version {expected} of {spec.dataset}. Received: {path}, for "
            f"{', '.join(others)}: pictures came, went or were given other labels since. {again}"
        )


def merged(path: Path, patch: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return what is decided about a set with a patch.

    Args:
        path: The patch, for messages.
        patch: As `read_patch` returns it.
        before: What was decided so far.

    Raises:
        LookbookError: If all of it is there already, or a picture has another decision.
    """
    both = patch[COLUMNS].merge(before, on=KEYS, suffixes=("", "_before"))
    differs = (both["action"] != both["action_before"]) | (both["label"] != both["label_before"])
    if differs.any():
        first = both[differs].iloc[0]
        raise LookbookError(
            f"Expected decisions on pictures that have none. Received: {path}, with another one "
            f"for {int(differs.sum()):,}; the first is {first['id']}: {first['action']} "
            f"{first['label']}, and so far {first['action_before']} {first['label_before']}. Take "
            "back the earlier patch first: lookbook relabel --take-back PATCH"
        )
    if len(both) == len(patch):
        raise LookbookError(
            f"Expected decisions that are not applied yet. Received: {path}, all of whose "
            f"{len(patch):,} are. Nothing is left to do."
        )
    return pd.concat([before, patch[COLUMNS]], ignore_index=True).drop_duplicates(KEYS)


def without(path: Path, patch: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return what is decided about a set without the decisions of a patch.

    Raises:
        LookbookError: If none of them is there.
    """
    applied = pd.MultiIndex.from_frame(before).isin(pd.MultiIndex.from_frame(patch[COLUMNS]))
    if not applied.any():
        raise LookbookError(
            f"Expected a patch that was applied. Received: {path}, none of whose {len(patch):,} "
            "decisions is there. Nothing is left to do."
        )
    return before[~applied]


def apply(path: Path, dataset: str, card: Card, spec: Spec) -> pd.DataFrame:
    """Put a patch into data/labels; return its decisions that are new."""
    patch, before = read_patch(path, dataset, card), read_labels(dataset, card)
    check_fits(path, patch, spec)
    after = merged(path, patch, before)
    write_labels(dataset, after)
    return after.iloc[len(before) :]


def take_back(path: Path | None, dataset: str, card: Card) -> int:
    """Take a patch, or all that was decided, out of data/labels; return how many rows went.

    Raises:
        LookbookError: If there is nothing to take back.
    """
    if path is None:
        place = labels_path(dataset)
        if not place.is_file():
            raise LookbookError(
                f"Expected decisions on {dataset} in {place}. Received: none. Nothing is left to "
                "take back."
            )
        rows = len(place.read_text(encoding="utf-8").splitlines()) - 1
        place.unlink()
        return rows
    before = read_labels(dataset, card)
    after = without(path, read_patch(path, dataset, card), before)
    write_labels(dataset, after)
    return len(before) - len(after)
