"""The comparison with another revision: report.md and its galleries."""

from pathlib import Path

import numpy as np

from lookbook.drawing.galleries import Tile, draw_gallery
from lookbook.revisions.changes import Change
from lookbook.revisions.reruns import DVC, run
from lookbook.splits.split import Split

OUTPUT = Path("comparison")
SHOWN = 24  # pictures in a gallery, at most
LISTED = 200  # pictures in a table, at most


def gallery(change: Change, rows: np.ndarray, test: Split) -> list[Tile]:
    """Return pictures with what was said, what is said now, and what is true."""
    names, old, new = change.new.class_names, change.old, change.new
    rows = rows[:SHOWN]
    images = test.images(rows)
    return [
        Tile(
            image,
            [
                f"was {names[old.predicted[row]]} {old.probabilities[row].max():.1%}",
                f"now {names[new.predicted[row]]} {new.probabilities[row].max():.1%}",
                f"is {names[new.labels[row]]}",
            ],
        )
        for image, row in zip(images, rows, strict=True)
    ]


def table(change: Change, rows: np.ndarray, sources: list[str]) -> list[str]:
    """Return the same pictures as the lines of a Markdown table."""
    names, old, new = change.new.class_names, change.old, change.new
    lines = ["| picture | source | is | was called | is called |", "|---|---|---|---|---|"]
    for row in rows[:LISTED]:
        cells = (new.ids[row], sources[row], names[new.labels[row]], names[old.predicted[row]],
                 names[new.predicted[row]])  # fmt: skip
        lines.append(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |")
    if len(rows) > LISTED:
        lines.append(f"\n{len(rows) - LISTED} more.")
    return lines


def write_report(
    folder: Path,
    revision: str,
    changes: dict[str, Change],
    remarks: list[str],
    test: Split,
    images_at: str,
) -> None:
    """Write report.md and the galleries.

    Args:
        folder: Where to.
        revision: That was compared with.
        changes: By model.
        remarks: What to say first.
        test: The pictures.
        images_at: What comes before a gallery's file name in a link.
    """
    lines = [f"## Against {revision}", "", *remarks, ""]
    lines += [f"- **{model}** {change.comparison}" for model, change in changes.items()]
    for title, command in (("Metrics", "metrics"), ("Parameters", "params")):
        shown = run(*DVC, command, "diff", "--md", revision).strip()
        lines += ["", f"<details><summary>{title}</summary>", "", shown or "Unchanged.", ""]
        lines += ["</details>"]
    sources = test.index()["source"].tolist()
    for model, change in changes.items():
        for rows, kind in ((change.fixed, "fixed"), (change.broken, "broken")):
            if not len(rows):
                continue
            name = f"{model}_{kind}.png"
            draw_gallery(folder / name, gallery(change, rows, test))
            lines += ["", f"### {kind.capitalize()} by {model}: {len(rows)}", ""]
            lines += [f"![{kind} by {model}]({images_at}{name})", ""]
            lines += ["<details><summary>List</summary>", "", *table(change, rows, sources), ""]
            lines += ["</details>"]
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
