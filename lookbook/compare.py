"""Is the work tree better than another revision, and on which pictures?

    python -m lookbook.compare main                       against a branch, tag or commit
    python -m lookbook.compare main --gate train_cnn      exit code 1 if this model became worse
    python -m lookbook.compare main --run                 if nobody has stored its predictions

Writes comparison/report.md (the verdict on each model, `dvc metrics diff`, `dvc params diff`) and,
for each model, two galleries: the pictures that it has right now, and those that it had right.
The other revision's predictions come from DVC's cache or a remote, and no model is run; with --run,
where neither has them, its pipeline runs in a temporary clone.
"""

import argparse
import io
import json
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from lookbook.comparing import Comparison, compare
from lookbook.errors import LookbookError, explains_errors
from lookbook.files import replacing
from lookbook.galleries import Tile, draw_gallery
from lookbook.predictions import PREDICTIONS, Predictions, read_predictions
from lookbook.reruns import DVC, rerun, run
from lookbook.revisions import Revision
from lookbook.splits import Split

OUTPUT = Path("comparison")
SHOWN = 24  # pictures in a gallery, at most
LISTED = 200  # pictures in a table, at most
WORSE, FAILED = 1, 2  # exit codes


@dataclass(frozen=True, eq=False)
class Change:
    """What a model says now and what it said at the other revision, of the same pictures.

    Attributes:
        old: At the other revision.
        new: In the work tree.
        comparison: Of the two.
    """

    old: Predictions
    new: Predictions
    comparison: Comparison

    @property
    def fixed(self) -> np.ndarray:
        """The pictures that are right now and were not, the largest change first."""
        return self._sorted(self.new.right & ~self.old.right)

    @property
    def broken(self) -> np.ndarray:
        """The pictures that were right and are not, the largest change first."""
        return self._sorted(self.old.right & ~self.new.right)

    def _sorted(self, chosen: np.ndarray) -> np.ndarray:
        rows, labels = np.flatnonzero(chosen), self.new.labels[chosen]
        change = self.new.probabilities[rows, labels] - self.old.probabilities[rows, labels]
        return rows[np.argsort(-np.abs(change), kind="stable")]


def predictions_here(test: Split) -> dict[str, Predictions]:
    """Return what each model of the work tree said of the test pictures.

    Raises:
        LookbookError: If there are no predictions, or they are of other pictures.
    """
    found = _read_all(Path())
    if not found:
        raise LookbookError(
            f"Expected predictions in {PREDICTIONS}. Received: none. Run `dvc repro`, or `dvc "
            "checkout` to bring them back."
        )
    for predictions in found.values():
        predictions.check_about(test)
    return found


def predictions_of(revision: Revision, *, anew: bool) -> dict[str, Predictions]:
    """Return what each model said of the test pictures at a revision.

    Args:
        revision: Of this repository.
        anew: Run its pipeline if DVC does not have them.

    Raises:
        LookbookError: If they are not to be had.
    """
    try:
        return _stored(revision)
    except LookbookError:
        if not anew:
            raise
    return _made_anew(revision)


def _stored(revision: Revision) -> dict[str, Predictions]:
    """Return a revision's predictions from DVC's cache or a remote.

    Raises:
        LookbookError: If there are no predictions, or they are not at hand.
    """
    if PREDICTIONS.as_posix() not in revision.outputs():
        raise LookbookError(
            f"Expected predictions at {revision.name}. Received: a dvc.lock without them. Compare "
            "with a revision at which `dvc repro` has been run and dvc.lock was committed."
        )
    files = revision.files(f"{PREDICTIONS.as_posix()}/test")
    if not files:
        raise LookbookError(
            f"Expected the predictions of {revision.name} in DVC's cache or a remote. "
            f"Received: neither has them. Run `dvc fetch --all-commits {PREDICTIONS}`, or ask "
            "who made that revision to `dvc push`; or make them anew here with --run."
        )
    return {
        Path(path).stem: read_predictions(io.BytesIO(content), f"{path} at {revision.name}")
        for path, content in files.items()
    }


def _made_anew(revision: Revision) -> dict[str, Predictions]:
    """Run the pipeline of a revision; return the predictions that it makes.

    Where this machine has run it before, DVC's run cache makes that a matter of seconds.

    Raises:
        LookbookError: If the pipeline fails or makes no predictions.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "lookbook")
        rerun(revision, folder)
        found = _read_all(folder)
    if not found:
        raise LookbookError(
            f"Expected predictions from the pipeline of {revision.name}. Received: none; it is "
            "older than they are. Compare with a later revision."
        )
    return found


def _read_all(root: Path) -> dict[str, Predictions]:
    files = sorted((root / PREDICTIONS / "test").glob("*.parquet"))
    return {file.stem: read_predictions(file, str(file)) for file in files}


def changes_since(
    revision: str, theirs: dict[str, Predictions], ours: dict[str, Predictions]
) -> tuple[dict[str, Change], list[str]]:
    """Compare each model of the work tree with itself at a revision.

    Args:
        revision: What to call it.
        theirs: What each model said of the test pictures at the revision.
        ours: And in the work tree.

    Returns:
        The changes, by model, and sentences on what cannot be compared.
    """
    changes, remarks = {}, []
    for model, new in ours.items():
        if model not in theirs:
            remarks.append(f"{model} is new: {revision} has no predictions of it.")
            continue
        old = theirs[model]
        if not old.about_the_same(new):
            return {}, [_other_data(revision, old, new)]
        changes[model] = Change(old, new, compare(old.right, new.right))
    gone = sorted(set(theirs) - set(ours))
    remarks += [f"{model} is gone: only {revision} has predictions of it." for model in gone]
    return changes, remarks


def _other_data(revision: str, old: Predictions, new: Predictions) -> str:
    shared = len(np.intersect1d(old.ids, new.ids))
    return (
        f"The test data differ, so the models are not compared: {len(old)} pictures of "
        f"{len(old.class_names)} classes at {revision}, {len(new)} of {len(new.class_names)} "
        f"here, {shared} in both."
    )


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


def out_of_date() -> list[str]:
    """Return a sentence if the results here are not those of the code, parameters and data here."""
    status = json.loads(run(*DVC, "status", "--json"))
    stale = [stage for stage, changes in status.items() if any(map(_is_news, changes))]
    if not stale:
        return []
    return [
        f"What is compared here is not up to date: {', '.join(stale)}. Run `dvc repro`, or `dvc "
        "checkout` after a change of branch."
    ]


def _is_news(change: dict | str) -> bool:
    """Return whether a change that `dvc status` tells is more than a file out of the cache."""
    if isinstance(change, str):
        return True
    return any(state != "not in cache" for files in change.values() for state in files.values())


def check_gate(models: list[str], ours: dict[str, Predictions]) -> None:
    """Raise a LookbookError unless there are predictions of all these models."""
    unknown = sorted(set(models) - set(ours))
    if unknown:
        raise LookbookError(
            f"Expected models out of {', '.join(ours)} after --gate. "
            f"Received: {', '.join(unknown)}."
        )


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m lookbook.compare", description=__doc__)
    parser.add_argument("revision", nargs="?", default="HEAD", help="branch, tag or commit")
    parser.add_argument("--gate", nargs="+", default=[], metavar="MODEL", help="must not be worse")
    parser.add_argument("--run", action="store_true", help="run its pipeline if need be")
    parser.add_argument("--images-at", default="", metavar="URL", help="where galleries will be")
    return parser.parse_args()


@partial(explains_errors, code=FAILED)
def main() -> None:
    """Compare, write the report, and say whether a chosen model became worse."""
    chosen = arguments()
    revision, test = Revision(chosen.revision), Split("test")
    changes, remarks, failure = {}, [], None
    try:
        ours = predictions_here(test)
        check_gate(chosen.gate, ours)
        theirs = predictions_of(revision, anew=chosen.run)
        changes, remarks = changes_since(revision.name, theirs, ours)
        remarks += out_of_date()
    except LookbookError as error:
        remarks, failure = [f"No verdict. {error}"], error
    with replacing(OUTPUT) as folder:
        folder.mkdir()
        write_report(folder, revision.name, changes, remarks, test, chosen.images_at)
    if failure:
        raise failure
    for line in [*remarks, *(f"{model} {c.comparison}" for model, c in changes.items())]:
        print(line)
    worse = [m for m in chosen.gate if m in changes and changes[m].comparison.verdict == "worse"]
    if worse:
        sys.exit(WORSE)


if __name__ == "__main__":
    main()
