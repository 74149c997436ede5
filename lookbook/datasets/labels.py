"""What people decided about labels after a review, kept beside the data, which stay as they are.

    data/labels/NAME.csv     id, given, action, label: one row a picture that was looked at

`preprocess` applies it; the list of a set's photos and its packs are not touched.
"""

from pathlib import Path

import pandas as pd

from lookbook.datasets.cards import Card, OwnSource
from lookbook.foundation.errors import LookbookError
from lookbook.foundation.files import read_csv, remove, write_csv

LABELS = Path("data/labels")
COLUMNS = ["id", "given", "action", "label"]
CHANGE, DROP, KEEP = ACTIONS = ("change", "drop", "keep")


def labels_path(dataset: str) -> Path:
    """Return where the decisions on a set are kept."""
    return LABELS / f"{dataset}.csv"


def read_labels(dataset: str, card: Card) -> pd.DataFrame:
    """Return what was decided about a set; all of it text, no row if there is no file.

    Columns: `id` (of the picture), `given` (the class that the data give it), `action` (one of
    `ACTIONS`) and `label` (the class that it is changed to, else empty). Classes of a set of one's
    own that were renamed since then have their new names.

    Raises:
        LookbookError: If the file is damaged, or names a class that the card has not.
    """
    path = labels_path(dataset)
    try:
        table = read_table(path, COLUMNS)
    except FileNotFoundError:
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    if isinstance(card.source, OwnSource):
        renamed = {old: new for old, new in card.source.aliases.items() if old not in card.classes}
        table[["given", "label"]] = table[["given", "label"]].replace(renamed)
    check_decisions(path, table, card.classes)
    return table


def write_labels(dataset: str, table: pd.DataFrame) -> None:
    """Replace what was decided about a set; without a row the file goes."""
    if len(table):
        rows = table[COLUMNS].sort_values(["id", "given"], kind="stable")
        write_csv(labels_path(dataset), rows)
    else:
        remove(labels_path(dataset))


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """Return a CSV file with exactly these columns, all of it text.

    Raises:
        FileNotFoundError: If there is none.
        LookbookError: If it is something else.
    """
    try:
        table = read_csv(path)
        received = f"the columns {', '.join(map(str, table.columns))}"
        fits = list(table.columns) == columns and isinstance(table.index, pd.RangeIndex)
    except (ValueError, UnicodeDecodeError, IsADirectoryError) as error:
        received, fits = str(error).partition("\n")[0], False
    if not fits:
        raise LookbookError(
            f"Expected the columns {', '.join(columns)} in {path}. Received: {received}. "
            "Save the file anew, or bring it back from Git."
        )
    return table


def check_decisions(path: Path, table: pd.DataFrame, classes: list[str]) -> None:
    """Raise a LookbookError unless every row is a decision that there can be.

    Args:
        path: The file, for the message.
        table: `COLUMNS`, and others that are not looked at.
        classes: Of the card.
    """
    change, label = table["action"] == CHANGE, table["label"]
    for wrong, expected in (
        (~table["action"].isin(ACTIONS), f"an action out of {', '.join(ACTIONS)}"),
        (~table["given"].isin(classes), f"a given label out of {', '.join(classes)}"),
        (change & ~label.isin(classes), f"a label out of {', '.join(classes)} where it changes"),
        (~change & (label != ""), "no label where it is not changed"),
        (table.duplicated(["id", "given"]), "each picture once"),
    ):
        if wrong.any():
            row = table[wrong].iloc[0]
            raise LookbookError(
                f"Expected {expected} in {path}. Received: {int(wrong.sum()):,} other rows; the "
                f"first is {', '.join(row[COLUMNS])}. Mend them, or review again."
            )
