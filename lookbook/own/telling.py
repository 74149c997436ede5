"""What is said of a set, in lines for a terminal."""

from collections import Counter

import numpy as np
import pandas as pd

from lookbook.foundation.names import in_line
from lookbook.own.adding import Plan
from lookbook.own.keeping import counts_table

SHOWN = 10  # names of each kind
BAR = 30  # characters of the longest bar
WIDEST = 24  # characters of a class's name
CLASSES = 40  # that get a line each


def first(names: list[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(map(in_line, names[:SHOWN])) + more


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 photo`, `2 photos`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size_of(count: int) -> str:
    """Return a number of bytes for people."""
    units = ("bytes", "KB", "MB", "GB")
    power = min(len(units) - 1, (len(str(count)) - 1) // 3)
    return f"{count / 1000**power:,.{min(power, 1)}f} {units[power]}"


def classes(table: pd.DataFrame, new: pd.DataFrame, names: list[str]) -> list[str]:
    """Return a line a class: a bar, how many photos it has, how many in each split, how many new.

    Args:
        table: The list.
        new: The newcomers' rows of it.
        names: The classes, in the order of the lines.
    """
    counts = counts_table(table, names)
    arrived = new["class"].value_counts()
    most = counts.sum(axis=1).max()
    lines = []
    for name in names[:CLASSES]:
        row = counts.loc[name]
        total = int(row.sum())
        bar = "█" * max(1, round(BAR * total / most))
        shown = in_line(name)
        shown = shown if len(shown) <= WIDEST else shown[: WIDEST - 1] + "…"
        split = " + ".join(f"{count:,}" for count in row)
        plus = int(arrived.get(name, 0))
        news = f", {plus:,} new" if 0 < plus < total else ""
        lines.append(f"  {shown:<{WIDEST}} {bar:<{BAR}} {total:,} ({split}{news})")
    if len(names) > CLASSES:
        lines.append(f"  and {len(names) - CLASSES:,} more classes")
    return lines


def about(plan: Plan) -> list[str]:
    """Return what taking in photos would change, or has changed."""
    table, old = plan.table, plan.old
    new = table.iloc[len(old) :]
    names = sorted(table["class"].unique())
    lines = [
        f"{plan.dataset}: {counted(len(table), 'photo')} of {len(names):,} classes, "
        f"{len(new):,} of them new",
        "  class: photos (training + validation + test)",
        *classes(table, new, names),
    ]
    if len(new):
        sides = np.array([(one.width, one.height) for one in plan.newcomers])
        low, middle, high = (f(sides, axis=0) for f in (np.min, np.median, np.max))
        lines.append(
            f"sizes of the new ones: {low[0]} to {high[0]} pixels wide (median {middle[0]:.0f}), "
            f"{low[1]} to {high[1]} high (median {middle[1]:.0f})"
        )
    if plan.known:
        lines.append(f"there already: {counted(plan.known, 'photo')}")
    if plan.renamed:
        names = [f"{before} is {after}" for before, after in plan.renamed]
        lines.append(f"under another name: {counted(len(names), 'photo')}: {first(names)}")
    if plan.relabelled:
        names = [f"{name} ({before}, now {after})" for name, before, after in plan.relabelled]
        lines.append(f"of another class now: {counted(len(names), 'photo')}: {first(names)}")
    for column, what in (("alike", "near duplicates"), ("group", "groups as asked for")):
        grouped = table.loc[table[column] != "", column]
        if len(grouped):
            lines.append(
                f"staying in one split together, {what}: {counted(len(grouped), 'photo')} in "
                f"{counted(grouped.nunique(), 'group')}"
            )
    if plan.bridges:
        lines.append(
            f"belonging with photos of several splits, and put into training: "
            f"{counted(len(plan.bridges), 'photo')}: {first(plan.bridges)}"
        )
    for name, size in plan.shared.large.items():
        lines.append(f"larger than the share of its split: the group {in_line(name)}, {size:,}")
    source, colours = plan.card["source"], plan.card["reader"]["channels"] == 3
    lines.append(
        f"{'in colour' if colours else 'grey'}; training may{'' if plan.card['flips'] else ' not'} "
        f"mirror them; {source['validation_size']:.0%} of each class for validation, "
        f"{source['test_size']:.0%} for the test (the card says so)"
    )
    return lines + left_out(plan.left_out)


def left_out(others: list[tuple[str, str]]) -> list[str]:
    """Return a line for each reason to leave files out, with the first of them."""
    kinds = Counter(_kind(reason) for _, reason in others)
    return [
        f"left out, {reason}: {count:,} ("
        + first([name for name, why in others if _kind(why) == reason])
        + ")"
        for reason, count in kinds.most_common()
    ]


def _kind(reason: str) -> str:
    for kind in ("the same as", "of two classes"):
        if reason.startswith(kind):
            return {"the same as": "the same as another photo"}.get(kind, kind)
    return reason
