"""Keep what was decided on the page of `lookbook review`, or take it back.

    lookbook relabel ~/Downloads/pets-labels.csv                 keep the decisions of a patch
    lookbook relabel --take-back ~/Downloads/pets-labels.csv     without them again
    lookbook relabel --take-back                                 without all of the set's

The decisions go into data/labels/NAME.csv, which Git keeps and preprocess applies. Photos, packs
and published files stay as they are. A patch that does not fit the data is refused.
"""

import argparse
from pathlib import Path

from lookbook.foundation.errors import LookbookError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("patch", nargs="?", type=Path, metavar="PATCH", help="the saved CSV file")
    parser.add_argument("--take-back", action="store_true", help="remove its decisions, or all")


def run(arguments: argparse.Namespace) -> None:
    """Apply the patch or take it back, tell Git, say what to run next."""
    from lookbook.datasets.cards import load_card
    from lookbook.datasets.labels import labels_path
    from lookbook.foundation.git import tell_git
    from lookbook.foundation.params import load_params
    from lookbook.review.given import spec_of
    from lookbook.review.patches import apply, take_back

    if arguments.patch is None and not arguments.take_back:
        raise LookbookError(
            "Expected the patch that the page of `lookbook review` saved. Received: nothing. Name "
            "the file, or take all decisions back with --take-back."
        )
    dataset = load_params().dataset
    card, path = load_card(dataset), labels_path(dataset)
    if arguments.take_back:
        print(f"taken back: {take_back(arguments.patch, dataset, card):,} decisions on {dataset}")
    else:
        new = apply(arguments.patch, dataset, card, spec_of(dataset))
        counts = new["action"].value_counts()
        print(", ".join(f"{action}: {count:,}" for action, count in counts.items()))
    tell_git([path])
    print(f"staged in Git: {path}; now run `dvc repro` and commit")
