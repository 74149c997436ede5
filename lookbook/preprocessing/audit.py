"""What a data set should be asked before it is trusted: twins, leaks, blank pictures, sizes."""

from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lookbook.foundation.files import write_csv
from lookbook.pictures.likeness import NEAR_THRESHOLD
from lookbook.pictures.near import nearest
from lookbook.splits.spec import SPLITS

BLANK_DEVIATION = 2.0  # of the likeness's brightness, out of 255
PAIRS = list(combinations(range(len(SPLITS)), 2))


class Audit(NamedTuple):
    """The findings: figures for the metrics, and a table for each list that people may open."""

    figures: dict
    tables: dict[str, pd.DataFrame]


def audit(
    index: pd.DataFrame, grids: np.ndarray, groups: np.ndarray, class_names: list[str]
) -> Audit:
    """Examine the pictures of all splits.

    Args:
        index: One row a picture: id, source, label, split, width, height.
        grids: Their likenesses.
        groups: As `exact_groups` returns them.
        class_names: In label order.
    """
    named = index.assign(
        split=np.array(SPLITS)[index["split"]], label=np.array(class_names)[index["label"]]
    )
    named = named.rename(columns={"label": "class"})
    copies, duplicates = _duplicates(named, groups)
    near, near_duplicates = _near_duplicates(named, index["split"].to_numpy(), grids)
    blank = np.flatnonzero(_deviation(grids) < BLANK_DEVIATION)
    sizes = index.groupby(["width", "height"]).size().rename("pictures").reset_index()
    sizes = sizes.sort_values(["pictures", "width", "height"], ascending=[False, True, True])
    figures = {
        "pictures": {name: int((index["split"] == i).sum()) for i, name in enumerate(SPLITS)},
        "classes": {
            name: {
                class_name: int(((named["split"] == name) & (index["label"] == label)).sum())
                for label, class_name in enumerate(class_names)
            }
            for name in SPLITS
        },
        "imbalance": _imbalance(index["label"]),
        "duplicates": copies,
        "near_duplicates": near,
        "near_blank": len(blank),
        "sizes": {
            "different": len(sizes),
            **{
                f"{side}_{name}": int(getattr(index[side], name)())
                for side in ("width", "height")
                for name in ("min", "median", "max")
            },
        },
    }
    columns = ["split", "class", "id", "source"]
    tables = {
        "duplicates": duplicates[["group", *columns]],
        "near_duplicates": near_duplicates,
        "near_blank": named.iloc[blank][columns],
        "sizes": sizes,
    }
    return Audit(figures, tables)


def _imbalance(labels: pd.Series) -> float:
    """Return how many times as large as the smallest class the largest is."""
    counts = labels.value_counts()
    return float(counts.max() / counts.min())


def _duplicates(named: pd.DataFrame, groups: np.ndarray) -> tuple[dict, pd.DataFrame]:
    rows = named.assign(group=groups)[groups >= 0]
    rows = rows.sort_values(["group", "split", "source"], kind="stable")
    members = {name: rows.loc[rows["split"] == name, "group"] for name in SPLITS}
    figures = {name: int(group.duplicated(keep=False).sum()) for name, group in members.items()}
    for a, b in PAIRS:
        both = members[SPLITS[b]].isin(members[SPLITS[a]])
        figures[f"{SPLITS[a]}_{SPLITS[b]}"] = int(both.sum())
    conflicting = rows.groupby("group")["class"].transform("nunique") > 1
    figures["conflicting_labels"] = int(conflicting.sum())
    return figures, rows


def _near_duplicates(
    named: pd.DataFrame, split: np.ndarray, grids: np.ndarray
) -> tuple[dict, pd.DataFrame]:
    figures: dict[str, Any] = {"threshold": NEAR_THRESHOLD}
    tables = []
    columns = ["split", "class", "id", "source"]
    for a, b in PAIRS:
        earlier, later = np.flatnonzero(split == a), np.flatnonzero(split == b)
        similarity, found = nearest(grids[later], grids[earlier])
        hits = found >= 0
        figures[f"{SPLITS[a]}_{SPLITS[b]}"] = {
            "pictures": int(hits.sum()),
            "share": float(hits.mean()) if len(hits) else 0.0,
        }
        table = named.iloc[later[hits]][columns].reset_index(drop=True)
        twins = named.iloc[earlier[found[hits]]][columns].reset_index(drop=True)
        table = table.join(twins.add_prefix("twin_"))
        tables.append(table.assign(similarity=similarity[hits].round(6)))
    return figures, pd.concat(tables, ignore_index=True)


def write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write each table as `<name>.csv`."""
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)


def _deviation(grids: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each likeness's brightness: float64 (n,)."""
    cells = grids.reshape(len(grids), -1)
    squares = np.einsum("ij,ij->i", cells, cells, dtype=np.int64)  # no copy of all as float
    mean = cells.sum(axis=1) / cells.shape[1]
    return np.sqrt(np.maximum(squares / cells.shape[1] - mean**2, 0))
