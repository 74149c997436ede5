"""The comparison with another revision: report.md, its galleries, and the page report.html."""

from pathlib import Path

import numpy as np

from lookbook.drawing.galleries import Tile, draw_gallery
from lookbook.foundation.names import in_markdown
from lookbook.ladder.rungs import RUNGS
from lookbook.reporting.album import Album
from lookbook.reporting.comparison import ModelChange, Part, write_comparison
from lookbook.reporting.gallery import shown
from lookbook.reporting.numbers import difference
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
                f"was {names[old.predicted[row]]} {old.probabilities[row].max():.0%}",
                f"now {names[new.predicted[row]]} {new.probabilities[row].max():.0%}",
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
        lines.append(f"| {' | '.join(in_markdown(str(cell)) for cell in cells)} |")
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
    """Write report.md, the galleries, and the same as a page.

    Args:
        folder: Where to.
        revision: That was compared with.
        changes: By model.
        remarks: What to say first.
        test: The pictures.
        images_at: What comes before a gallery's file name in a link.
    """
    lines = [f"## Against {in_markdown(revision)}", ""]
    lines += [f"- **{model}** {change.comparison}" for model, change in changes.items()]
    lines += [*([""] if changes else []), *map(in_markdown, remarks)]
    differences = {
        title: run(*DVC, command, "diff", "--md", revision).strip() or "Unchanged."
        for title, command in (("Metrics", "metrics"), ("Parameters", "params"))
    }
    for title, text in differences.items():
        lines += ["", f"<details><summary>{title}</summary>", "", text, "", "</details>"]
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
    album = Album()
    changed = [_changed(model, change, test, album) for model, change in changes.items()]
    page = folder / "report.html"
    write_comparison(page, revision, changed, remarks, differences, album.style)


def _changed(model: str, change: Change, test: Split, album: Album) -> ModelChange:
    """Return a change as the page shows it; a model of another ladder has its name for a title."""
    mended, broken = (
        Part(len(rows), shown(album, gallery(change, rows, test)))
        for rows in (change.fixed, change.broken)
    )
    titles = {rung.name: rung.title for rung in RUNGS}
    comparison = change.comparison
    return ModelChange(
        titles.get(model, model), comparison.verdict, difference(comparison), mended, broken
    )
