"""Say whether the work tree is better than another revision, and on which pictures.

    lookbook compare main                       against a branch, tag or commit
    lookbook compare main --gate train_cnn      exit code 1 if this model became worse
    lookbook compare main --run                 if nobody has stored its predictions

Writes comparison/report.md (the verdict on each model, `dvc metrics diff`, `dvc params diff`) and,
for each model, two galleries: the pictures that it has right now, and those that it had right;
comparison/report.html is the same as one page.
The other revision's predictions come from DVC's cache or a remote, and no model is run; with --run,
where neither has them, its pipeline runs in a temporary clone.
"""

import argparse

from lookbook.foundation.errors import VERDICT, LookbookError
from lookbook.foundation.names import in_terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("revision", nargs="?", default="HEAD", help="branch, tag or commit")
    parser.add_argument("--gate", nargs="+", default=[], metavar="MODEL", help="must not be worse")
    parser.add_argument("--run", action="store_true", help="run its pipeline if need be")
    parser.add_argument("--images-at", default="", metavar="URL", help="where galleries will be")


def run(arguments: argparse.Namespace) -> int | None:
    """Compare, write the report, and say whether a chosen model became worse."""
    from lookbook.evaluation.scores import changed_labels
    from lookbook.foundation.files import replacing
    from lookbook.revisions.changes import (
        Change,
        changes_since,
        out_of_date,
        predictions_here,
        predictions_of,
    )
    from lookbook.revisions.report import OUTPUT, write_report
    from lookbook.revisions.revision import Revision
    from lookbook.splits.headline import Headline
    from lookbook.splits.split import Split

    revision, test = Revision(arguments.revision), Split("test")
    changes: dict[str, Change] = {}
    remarks: list[str] = []
    failure = None
    try:
        ours = predictions_here(test)
        check_gate(arguments.gate, list(ours))
        headline = Headline.of(Split("train"), Split("validation"))
        theirs = predictions_of(revision, anew=arguments.run)
        changes, remarks = changes_since(revision.name, theirs, ours, headline)
        remarks += [*changed_labels(test), *out_of_date()]
    except LookbookError as error:
        remarks, failure = [f"No verdict. {error}"], error
    with replacing(OUTPUT) as folder:
        folder.mkdir()
        write_report(folder, revision.name, changes, remarks, test, arguments.images_at)
    if failure:
        raise failure
    for line in [*remarks, *(f"{model} {c.comparison}" for model, c in changes.items())]:
        print(in_terminal(line))
    gated = [changes[model] for model in arguments.gate if model in changes]
    return VERDICT if any(change.comparison.verdict == "worse" for change in gated) else None


def check_gate(models: list[str], known: list[str]) -> None:
    """Raise a LookbookError unless there are predictions of all these models."""
    unknown = sorted(set(models) - set(known))
    if unknown:
        raise LookbookError(
            f"Expected models out of {', '.join(known)} after --gate. "
            f"Received: {', '.join(unknown)}."
        )
