"""What each model says here and said at another revision, of the same pictures."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookbook.evaluation.predictions import PREDICTIONS, Predictions, read_predictions
from lookbook.evaluation.significance import Comparison, compare
from lookbook.foundation.errors import LookbookError
from lookbook.revisions.reruns import DVC, rerun, run
from lookbook.revisions.revision import Revision
from lookbook.splits.headline import Headline
from lookbook.splits.split import Split


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
        Path(path).stem: read_predictions(content, f"{path} at {revision.name}")
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
    revision: str,
    theirs: dict[str, Predictions],
    ours: dict[str, Predictions],
    headline: Headline,
) -> tuple[dict[str, Change], list[str]]:
    """Compare each model of the work tree with itself at a revision.

    Args:
        revision: What to call it.
        theirs: What each model said of the test pictures at the revision.
        ours: And in the work tree.
        headline: What the verdicts are about; a remark says why if it is not the accuracy.

    Returns:
        The changes, by model, and sentences on what cannot be compared.
    """
    changes, remarks = {}, [headline.reason] if headline.reason else []
    for model, new in ours.items():
        if model not in theirs:
            remarks.append(f"{model} is new: {revision} has no predictions of it.")
            continue
        old = theirs[model]
        if not old.about_the_same(new):
            return {}, [_other_data(revision, old, new)]
        comparison = compare(old.right, new.right, headline.strata(new.labels))
        changes[model] = Change(old, new, comparison)
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
