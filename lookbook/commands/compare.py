"""Is the work tree better than another revision, and on which pictures?

    python -m lookbook.commands.compare main                       against a branch, tag or commit
    python -m lookbook.commands.compare main --gate train_cnn      exit code 1 if this model became worse
    python -m lookbook.commands.compare main --run                 if nobody has stored its predictions

Writes comparison/report.md (the verdict on each model, `dvc metrics diff`, `dvc params diff`) and,
for each model, two galleries: the pictures that it has right now, and those that it had right.
The other revision's predictions come from DVC's cache or a remote, and no model is run; with --run,
where neither has them, its pipeline runs in a temporary clone.
"""

import argparse
import sys
from functools import partial

from lookbook.evaluation.predictions import Predictions
from lookbook.foundation.errors import LookbookError, explains_errors
from lookbook.foundation.files import replacing
from lookbook.revisions.changes import changes_since, out_of_date, predictions_here, predictions_of
from lookbook.revisions.report import OUTPUT, write_report
from lookbook.revisions.revision import Revision
from lookbook.splits.split import Split

WORSE, FAILED = 1, 2  # exit codes


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
    parser = argparse.ArgumentParser(
        prog="python -m lookbook.commands.compare", description=__doc__
    )
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
